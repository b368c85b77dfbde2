"""The folder in memory that a daemon shares with clients of its own user on its own machine.

What lies there needs no cipher and no socket: a client writes a buffer under its hash, and the
daemon finds it when the request names it; results are read where the worker wrote them. Only
their owner can enter the folder, as with the connection file. Everything here may fail at any
time (another machine, a full memory, a file that has moved on to the disk): then the wire is used.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .envelope import Buffer

_WRITERS = 3


def usable(path: str) -> Path | None:
    """The folder that a connection file names, if it is here and only ours."""
    if not path or sys.platform == "win32":
        return None
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    ours = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
    return Path(path) if ours and not facts.st_mode & 0o077 else None


def write_buffers(folder: Path, buffers: Sequence[Buffer]) -> frozenset[str]:
    """Leave buffers for the daemon; returns the hashes of those that are there now."""
    with ThreadPoolExecutor(_WRITERS) as pool:
        written = list(pool.map(lambda buffer: _write(folder, buffer), buffers))
    return frozenset(sha for sha in written if sha)


def _write(folder: Path, buffer: Buffer) -> str:
    sha = buffer.info.sha256 or ""
    target = folder / "blobs" / sha[:2] / sha
    part = target.with_name(f".part-{uuid.uuid4().hex}")
    try:
        room = shutil.disk_usage(folder)
        if not sha or room.free - buffer.info.nbytes < room.total // 2:
            return ""
        # Not parents=True: a folder that the daemon has removed must not come back.
        target.parent.parent.mkdir(mode=0o700, exist_ok=True)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with part.open("xb", buffering=0) as file:
            view = memoryview(buffer.data).cast("B")
            while view:
                view = view[file.write(view) or 0 :]
        part.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        return ""
    return sha


def read_result(folder: Path, job: str, name: str) -> bytes | None:
    """A result file, or None: it is not here (any more)."""
    try:
        return (folder / "jobs" / job / "results" / name).read_bytes()
    except OSError:
        return None
