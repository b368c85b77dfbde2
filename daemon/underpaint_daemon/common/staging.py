"""Two places for one tree of files: memory first, the disk soon after.

On Linux what a client sends and what a worker makes is written to a tmpfs folder, five times as
fast as to a disk, and moved to the disk when nobody is waiting. Such a file survives the death of
the daemon like one on disk does (the next daemon finds it); only a power cut can lose it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO

log = logging.getLogger("staging")
PART = "results.part"
_OWNER = ".data-folder"
_SHM = Path("/dev/shm")  # noqa: S108 - a private folder is made in it, and its owner checked
_QUIET_SECONDS = 1.0
_OLDEST_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_claims: list[IO[str]] = []
"""The folders that this process holds: closed, a file's lock is gone."""


@dataclass(frozen=True, slots=True)
class Staging:
    """Files by their path below either root; `fast` is None where there is no such memory."""

    disk: Path
    fast: Path | None

    @property
    def roots(self) -> tuple[Path, ...]:
        """Where to look, in this order: a file is on disk before it leaves the memory."""
        return (self.disk,) if self.fast is None else (self.fast, self.disk)

    def place(self, nbytes: int) -> Path:
        """The root to write so many bytes below."""
        if self.fast is not None:
            with contextlib.suppress(OSError):
                room = shutil.disk_usage(self.fast)
                if room.free - nbytes > room.total // 2:
                    return self.fast
        return self.disk

    def size(self, name: str) -> int | None:
        """A file's bytes, or None: it is not there."""
        for root in self.roots:
            with contextlib.suppress(OSError):
                return (root / name).stat().st_size
        return None

    def open(self, name: str) -> FileIO:
        """A file for reading. Raises FileNotFoundError."""
        for root in self.roots[:-1]:
            with contextlib.suppress(FileNotFoundError):
                return (root / name).open("rb", buffering=0)
        return (self.disk / name).open("rb", buffering=0)

    def remove(self, name: str) -> None:
        """Remove a file or a folder from both places."""
        for root in self.roots:
            path = root / name
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()

    def settle(self, older_than: float) -> int:
        """Move to the disk what was written before that Unix time; returns how many files."""
        count = 0
        for path in self._fast_files():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime <= older_than and self.fast is not None:
                    _move(path, self.disk / path.relative_to(self.fast))
                    count += 1
        return count

    def _fast_files(self) -> Iterator[Path]:
        if self.fast is not None:
            for folder, folders, names in os.walk(self.fast):
                if PART in folders:
                    folders.remove(PART)  # a worker still writes there
                yield from (Path(folder, name) for name in names if not name.startswith("."))


def make_staging(data: Path) -> Staging:
    """The staging of a data folder, with what an earlier daemon left in memory."""
    fast = _private_memory(data)
    if fast is not None:
        for part in fast.glob(f"jobs/*/{PART}"):
            shutil.rmtree(part, ignore_errors=True)
    return Staging(data, fast)


class Settler:
    """The thread that settles the files while the daemon serves, and for the last time at `close`.

    `quiet_for`: seconds since a client last sent or asked for files. `also`: more slow disk work
    that can wait for quiet.
    """

    def __init__(
        self, staging: Staging, quiet_for: Callable[[], float], also: Callable[[], None]
    ) -> None:
        self._staging = staging
        self._also = also
        self._trouble = ""
        self._quiet_for = quiet_for
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="underpaint-settle", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Settle everything and remove the folder in memory."""
        self._stop.set()
        self._thread.join()
        self._settle(0.0)
        fast = self._staging.fast
        if fast is not None and not any(self._staging._fast_files()):
            shutil.rmtree(fast, ignore_errors=True)

    def _run(self) -> None:
        worked = True
        while not self._stop.wait(_LOOK_SECONDS):
            quiet = self._quiet_for() > _QUIET_SECONDS
            self._settle(_QUIET_SECONDS if quiet else _OLDEST_SECONDS)
            if quiet and worked:
                self._also()
            worked = not quiet

    def _settle(self, age: float) -> None:
        try:
            self._staging.settle(time.time() - age)
            self._trouble = ""
        except OSError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.warning("files stay in memory: %s", error)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".part-{target.name}")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    source.unlink()


def _private_memory(data: Path) -> Path | None:
    """A folder of our own in memory, or None. One that somebody else made is not used."""
    if sys.platform != "linux" or not os.access(_SHM, os.W_OK):
        return None
    name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]
    folder = _SHM / f"underpaint-{os.getuid()}-{name}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not _is_private(folder):
        return None
    _claim(folder, data)
    _remove_orphans(folder.parent)
    return folder


def _claim(folder: Path, data: Path) -> None:
    """Say whose a folder is, and hold it for as long as this process lives."""
    import fcntl

    file = (folder / _OWNER).open("a+", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_SH)
    file.truncate(0)
    file.write(f"{data.resolve()}\n{_view()}")
    file.flush()
    _claims.append(file)


def _view() -> str:
    """Which tree of files this process sees: a container's or a chroot's is another one, though
    its /dev/shm may be ours."""
    root = Path("/").stat()
    with contextlib.suppress(OSError):
        return f"{os.readlink('/proc/self/ns/mnt')} {root.st_dev}:{root.st_ino}"
    return f"{root.st_dev}:{root.st_ino}"


def _is_private(folder: Path) -> bool:
    facts = folder.lstat()
    ours = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
    return ours and not facts.st_mode & 0o077


def _remove_orphans(memory: Path) -> None:
    """Free the memory of daemons that were killed and whose data folder is gone since.

    One that lives holds its folder, wherever its data is: a drive may be away for a while. And
    what was claimed in another view of the files is not for us to miss.
    """
    for folder in memory.glob(f"underpaint-{os.getuid()}-*"):
        with contextlib.suppress(OSError):
            if _is_private(folder) and _is_orphan(folder / _OWNER):
                shutil.rmtree(folder)


def _is_orphan(owner: Path) -> bool:
    import fcntl

    with owner.open(encoding="utf-8") as file:
        data, _, view = file.read().partition("\n")
        if Path(data).exists() or view != _view():
            return False
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: it lives
        return True
