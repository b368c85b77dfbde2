"""Names of one's own: what one run writes, no other run writes over."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from ..errors import ErrorCode, RequestError
from ..paths import user_paths

_MOST_RUNS = 100


def numbered(path: Path, number: int) -> Path:
    """`image_0.png` for the first, `image_0-2.png` for the second of that name."""
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def write_new(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files that belong together, by their names; where one of the names is taken, all have
    the next number of which none is. What is there already, byte for byte, stays. The paths.

    Raises OSError when the folder takes no files; none of them is left then.
    """
    for number in count(1):
        named = {numbered(folder / name, number): data for name, data in files.items()}
        if all(map(_holds, named, named.values())) or _claimed(named):
            return list(named)
    raise AssertionError  # numbers do not end


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _claimed(files: Mapping[Path, bytes]) -> bool:
    """Write all of them, or none where one of the names is taken."""
    with contextlib.ExitStack() as undo:
        for path, data in files.items():
            try:
                stream = path.open("xb")
            except FileExistsError:
                return False
            undo.callback(_remove, path)
            with stream:
                stream.write(data)
        undo.pop_all()
    return True


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


@contextlib.contextmanager
def own_folder(out: Path) -> Iterator[Path]:
    """The folder `out`, for as long as it is written into; while another run does that, the next
    beside it (`out-2`) that none writes into. It need not exist.

    Raises OSError, and RequestError(FILE) when a hundred runs hold a hundred folders.
    """
    from ..wire.locks import FileLock  # here: a bad mesh is told without it

    for number in range(1, _MOST_RUNS + 1):
        folder = out if number == 1 else out.with_name(f"{out.name}-{number}")
        mark = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:24]
        with FileLock(user_paths().runtime / "folders" / mark) as lock:
            if lock.try_acquire():
                yield folder
                return
    raise RequestError(
        ErrorCode.FILE,
        f"{_MOST_RUNS} runs write into {out} and its likes",
        hint="Wait for some of them, or give another folder.",
    )
