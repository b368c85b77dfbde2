"""Job folders: `jobs/<id>/job.json` for people, `jobs/<id>/results/` for the files.

The worker writes into `results.part` and the daemon renames it when all is there, so that
`results` is whole or absent.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError
from underpaint.wire import limits
from underpaint.wire.envelope import Bytes
from underpaint_daemon.common import disk
from underpaint_daemon.common.staging import PART, Staging

RESULTS = "results"


class Folders:
    """The folders of jobs in staging. Ids and names are checked by the wire's decoder: no
    separators, no leading dot; the check here is the second lock."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging

    def job(self, id: str) -> Path:
        """The job's folder on disk."""
        return self._staging.disk / _folder(id)

    def complete(self, id: str) -> None:
        """Put the finished files in their place. Raises RequestError(DISK_FULL or FILE)."""
        self._staging.remove(f"{_folder(id)}/{RESULTS}")
        folders = [root / _folder(id) for root in self._staging.roots]
        folder = next((f for f in folders if (f / PART).is_dir()), folders[-1])
        try:
            (folder / PART).rename(folder / RESULTS)
        except OSError as error:
            raise disk.as_error(error, "results cannot be put in their place") from error

    def read(self, id: str, name: str, offset: int, length: int | None) -> tuple[Bytes, int]:
        """Bytes of a result from `offset`, mapped and not copied, and the file's whole size.

        Raises RequestError(RESULT_UNKNOWN).
        """
        wanted = limits.MAX_PART if length is None else min(length, limits.MAX_PART)
        try:
            with self._staging.open(f"{_folder(id)}/{RESULTS}/{_safe(name)}") as file:
                total = file.seek(0, 2)
                if offset >= total:
                    return b"", total
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                return memoryview(mapped)[offset : offset + wanted], total
        except (FileNotFoundError, NotADirectoryError) as error:
            raise unknown_result(id, name) from error

    def remove(self, id: str) -> None:
        """Remove a job's whole folder."""
        self._staging.remove(_folder(id))


def unknown_result(id: str, name: str) -> RequestError:
    return RequestError(ErrorCode.RESULT_UNKNOWN, f"job {id} has no result {name}")


def _folder(id: str) -> str:
    return f"jobs/{_safe(id)}"


def _safe(name: str) -> str:
    if not limits.ID.fullmatch(name):
        raise RequestError(ErrorCode.BAD_REQUEST, f"{name[:80]!r} is not an id")
    return name
