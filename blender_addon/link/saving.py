"""Results and what they were made of, into folders. No bpy; runs in threads."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from underpaint.buffers import Buffers
from underpaint.errors import ErrorCode, JobFailed
from underpaint.files.inputs import save_inputs
from underpaint.job import Job
from underpaint.requests import Request
from underpaint.tree import request_digest

from ..plain.surfaces import Target, target_from_json, target_to_json

_TARGET_FILE = "target.json"
_SLUG_LENGTH = 32


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


def save_results(job: Job, folder: Path) -> tuple[Path, ...]:
    """Fetch and write every file; the paths of the images."""
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    for result in job.result():
        path = folder / result.name
        path.write_bytes(result.data)
        if result.media.startswith("image/"):
            images.append(path)
    if not images:
        raise JobFailed(ErrorCode.INTERNAL, f"job {job.id} ended without an image")
    return tuple(images)
