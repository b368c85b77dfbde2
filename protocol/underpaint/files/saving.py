"""Results where they were asked for; or, where nothing can be written any more by the time they
are there, somewhere else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from ..errors import ErrorCode, RequestError
from ..paths import home_folder, user_paths

T = TypeVar("T")


def ready_folder(out: Path) -> None:
    """Make a folder for results, and try whether it takes files. Raises OSError."""
    import tempfile  # here and below: a bad mesh is told without it

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=out):
        pass


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all. Raises OSError."""
    with whole(path):
        path.write_bytes(data)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[None]:
    """A file is written: what there is of it goes when that fails."""
    try:
        yield
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise


def saved(
    out: Path, write: Callable[[Path], T], otherwise: str = ""
) -> tuple[T, RequestError | None]:
    """`write(out)`; when that fails, `write` of a new folder elsewhere, and what to tell of it.

    Raises RequestError(NOT_SAVED) when no folder takes them; `otherwise`: the hint then.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)  # it may have been deleted meanwhile
        return write(out), None
    except OSError as error:
        import tempfile

        why = f"{out} can no longer be written: {error.strerror or error}"
    for root in _elsewhere():
        with contextlib.suppress(OSError):
            root.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f"{out.name[:40]}-", dir=root))
            try:
                done = write(folder)
            except OSError:
                _remove(folder)
                raise
            hint = f"Nothing is lost; mend the folder, and move the files from {folder}."
            told = f"{why}; the results are kept in {folder}"
            return done, RequestError(ErrorCode.NOT_SAVED, told, hint=hint)
    raise RequestError(
        ErrorCode.NOT_SAVED,
        f"{why}, and neither can any other folder that was tried",
        hint=otherwise or "Make room, and do it again.",
    )


def _elsewhere() -> Iterator[Path]:
    """Where results may go instead, the likeliest first."""
    import tempfile

    yield user_paths().data / "unsaved"
    yield Path(tempfile.gettempdir()) / "underpaint-unsaved"
    yield home_folder(os.environ) / "underpaint-unsaved"


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
