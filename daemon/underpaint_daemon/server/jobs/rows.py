"""A row of the job table, from SQL and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from underpaint.errors import ErrorCode, RequestError
from underpaint.wire.messages import FileInfo, JobState


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row. `request`: canonical JSON. `attempts`: how often it was started. `removed`: its
    files were removed to make room. `place`: in the queue; the smallest runs first."""

    number: int
    id: str
    digest: str
    kind: str
    title: str
    request: str
    state: JobState
    attempts: int
    created: float
    updated: float
    error: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[FileInfo, ...] = field(default=())
    nbytes: int = 0
    acked: bool = False
    removed: bool = False
    model: str = ""
    origin: str = ""
    pinned: bool = False
    paused: bool = False
    place: float = 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What the gallery shows of a job and finds it by. `words`: its prompt."""

    words: str
    model: str = ""
    origin: str = ""


def unreadable(error: Exception) -> RequestError:
    """The end of a job whose row or request this release cannot read."""
    return RequestError(
        ErrorCode.BAD_REQUEST,
        f"another release of Underpaint queued this job, and this one cannot read it: {error}",
        hint="Submit it again with this release.",
    )


def job_row(row: tuple[Any, ...]) -> JobRow:
    """Raises ValueError, TypeError or AttributeError for a row that is not ours."""
    number, id, digest, kind, title, request, state, attempts, created, updated = row[:10]
    error, warnings, files, nbytes, acked, removed, model, origin, _words, pinned = row[10:20]
    paused, place = row[20:]
    return JobRow(
        number=number,
        id=_text(id),
        digest=_text(digest),
        kind=_text(kind),
        title=_text(title),
        request=_text(request),
        state=JobState(state),
        attempts=int(attempts),
        created=float(created),
        updated=float(updated),
        error=json.loads(error) if error else None,
        warnings=tuple(json.loads(warnings)),
        files=tuple(FileInfo(**file) for file in json.loads(files)),
        nbytes=int(nbytes),
        acked=bool(acked),
        removed=bool(removed),
        model=_text(model),
        origin=_text(origin),
        pinned=bool(pinned),
        paused=bool(paused),
        place=float(number if place is None else place),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def file_row(file: FileInfo) -> dict[str, Any]:
    return {
        "name": file.name,
        "media": file.media,
        "nbytes": file.nbytes,
        "sha256": file.sha256,
        "facts": file.facts,
    }
