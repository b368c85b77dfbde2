"""Job folders: `jobs/<id>/job.json` for people, `jobs/<id>/results/` for the files.

The worker writes into `results.part` and the daemon renames it when all is there, so that
`results` is whole or absent.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from underpaint import limits
from underpaint.errors import ErrorCode, RequestError

from . import disk

RESULTS, PART = "results", "results.part"


class Folders:
    """The job folders under one root. Ids and names are checked by the wire's decoder: no
    separators, no leading dot; the check here is the second lock."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def job(self, id: str) -> Path:
        return self._root / _safe(id)

    def complete(self, id: str) -> None:
        """Put the finished files in their place. Raises RequestError(DISK_FULL or FILE)."""
        folder = self.job(id)
        try:
            shutil.rmtree(folder / RESULTS, ignore_errors=True)
            (folder / PART).rename(folder / RESULTS)
        except OSError as error:
            raise disk.as_error(error, "results cannot be put in their place") from error

    def read(self, id: str, name: str, offset: int, length: int | None) -> tuple[bytes, int]:
        """Bytes of a result from `offset`, and the file's whole size.

        Raises RequestError(RESULT_UNKNOWN).
        """
        wanted = limits.MAX_PART if length is None else min(length, limits.MAX_PART)
        try:
            with (self.job(id) / RESULTS / _safe(name)).open("rb", buffering=0) as file:
                total = file.seek(0, 2)
                file.seek(min(offset, total))
                return file.read(wanted), total
        except (FileNotFoundError, NotADirectoryError) as error:
            raise unknown_result(id, name) from error

    def remove(self, id: str) -> None:
        """Remove a job's whole folder."""
        shutil.rmtree(self.job(id), ignore_errors=True)


def unknown_result(id: str, name: str) -> RequestError:
    return RequestError(ErrorCode.RESULT_UNKNOWN, f"job {id} has no result {name}")


def _safe(name: str) -> str:
    if not limits.ID.fullmatch(name):
        raise RequestError(ErrorCode.BAD_REQUEST, f"{name[:80]!r} is not an id")
    return name
