"""What the cache folder holds that can be made again: kept while there is room (`caches_mb`); what
was used longest ago goes first. No torch: the server sweeps what the worker fills."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

from .disk import write_whole

DIGESTS, PREVIEWS, TOKENIZERS, JOURNALS = "digests", "previews", "tokenizers", "unfinished"
_UNPACKED = "unpacked"  # of releases before 0.2
_ROOMS = (DIGESTS, PREVIEWS, TOKENIZERS, JOURNALS, _UNPACKED)
_BLOCK = 4096
_IN_USE_S = 600.0


def used(entry: Path) -> None:
    """Note that a cache's entry was used now."""
    with contextlib.suppress(OSError):
        os.utime(entry)


def remember(entry: Path, data: bytes) -> None:
    """Keep an entry, whole or not at all. A cache that cannot be written is none."""
    with contextlib.suppress(OSError):
        write_whole(entry, data)


def sweep_caches(cache: Path, max_bytes: int) -> int:
    """Remove the entries that were used longest ago until the rest fits; what was used in the last
    ten minutes stays. Returns how many went."""
    entries = sorted(entry for room in _ROOMS for entry in _entries(cache / room))
    total, gone = sum(size for _, size, _ in entries), 0
    for at, size, path in entries:
        if total <= max_bytes or at > time.time() - _IN_USE_S:
            break
        _remove(path)
        total, gone = total - size, gone + 1
    return gone


def _entries(room: Path) -> list[tuple[float, int, Path]]:
    """Each file or folder of a room: when it was last used, and the bytes it takes."""
    found = list[tuple[float, int, Path]]()
    with contextlib.suppress(OSError):  # there is no such room, or an entry has just gone
        for path in room.iterdir():
            files = [path, *path.rglob("*")] if path.is_dir() else [path]
            sizes = [max(file.lstat().st_size, _BLOCK) for file in files]
            found.append((path.lstat().st_mtime, sum(sizes), path))
    return found


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):  # Windows keeps what a worker has open
            path.unlink()
