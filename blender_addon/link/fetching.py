"""What it takes to fetch a painting after its Blender has closed. No bpy."""

from __future__ import annotations

import os

from underpaint.client import Client
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.files.inputs import load_inputs
from underpaint.job import Job
from underpaint.paths import Paths
from underpaint.tree import to_json

from . import left
from .left import Note
from .task import Task


def note_down(paths: Paths, task: Task) -> None:
    """Note a painting before it is handed over; a note that cannot be written is a warning."""
    request, title = to_json(task.request), " ".join(task.request.prompt.text.split())
    noted = Note(task.id, title, request, task.scene, str(task.folder), os.getpid())
    try:
        left.write(paths, noted)
    except OSError as error:
        task.warnings.append(f"it could not be fetched if Blender closed: {error}")


def found_or_asked(up: Client, task: Task) -> Job:
    """A painting that was left; asked for now, if Blender closed before the daemon had it.

    Raises UnderpaintError."""
    try:
        return up.job(task.id, previews=True)
    except UnderpaintError as error:
        if error.code is not ErrorCode.JOB_UNKNOWN:
            raise
    buffers = load_inputs(task.folder, task.request)
    return up.submit(task.request, buffers, job_id=task.id, previews=True, origin=task.scene)
