"""Results and what they were made of, into folders. No bpy; runs in threads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from underpaint.buffers import Buffers
from underpaint.errors import ErrorCode, JobFailed, UnderpaintError
from underpaint.files.inputs import save_inputs
from underpaint.files.saving import saved, write_whole
from underpaint.job import Job
from underpaint.requests import Request
from underpaint.tree import request_digest

from ..plain.surfaces import Target, target_from_json, target_to_json

_TARGET_FILE = "target.json"
_SLUG_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Saved:
    """`images`: their files. `told`: that they lie elsewhere than asked, and where."""

    images: tuple[Path, ...]
    told: UnderpaintError | None


def folder_name(prompt: str, job: str, now: datetime) -> str:
    """A readable, unique folder name: time, first words, the job's id."""
    words = re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")[:_SLUG_LENGTH].strip("-")
    return "-".join(part for part in (f"{now:%Y%m%d-%H%M%S}", words, job[:8]) if part)


def keep_inputs(
    folder: Path, request: Request, buffers: Buffers, target: Target | None
) -> str | None:
    """What the request refers to, beside its results, so that it can be run again."""
    folder.mkdir(parents=True, exist_ok=True)
    if target is not None:
        (folder / _TARGET_FILE).write_text(target_to_json(target), encoding="utf-8")
    return save_inputs(folder, request_digest(request), buffers)


def kept_target(folder: Path) -> Target | None:
    """What a texture was for, as `keep_inputs` left it. Raises OSError."""
    file = folder / _TARGET_FILE
    return target_from_json(file.read_text(encoding="utf-8")) if file.is_file() else None


def save_results(job: Job, folder: Path, beside: Callable[[Path], object]) -> Saved:
    """Fetch and write every file; where the folder takes none any more, elsewhere, with what
    `beside` writes there.

    Raises ConnectionLost; RequestError(NOT_SAVED) when no folder takes them.
    """
    found = list(job.result())
    if not any(result.media.startswith("image/") for result in found):
        raise JobFailed(ErrorCode.INTERNAL, f"job {job.id} ended without an image")

    def write(place: Path) -> tuple[Path, ...]:
        if place != folder:
            beside(place)
        for result in found:
            write_whole(place / result.name, result.data)
        return tuple(place / r.name for r in found if r.media.startswith("image/"))

    return Saved(*saved(folder, write, "Make room, and press Fetch beside the painting."))
