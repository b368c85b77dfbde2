"""What is noted beside a model's file, in its `NAME.underpaint.json`. No bpy."""

from __future__ import annotations

import json
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError
from underpaint.files.saving import write_whole

_INDEX = "model_index.json"


def note_base(file: Path, folder: Path) -> Path:
    """Note the folder of a whole model that a transformer's file takes its other parts from; the
    file of the note. The daemon says whether the two go together.

    Raises RequestError(FILE, BAD_REQUEST).
    """
    if not file.is_file():
        raise RequestError(ErrorCode.FILE, "the chosen model is no file of its own")
    if not (folder / _INDEX).is_file():
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"{folder} is no model's folder",
            hint="Choose the folder that has model_index.json in it.",
        )
    note = file.with_suffix(".underpaint.json")
    try:
        known = json.loads(note.read_text("utf-8")) if note.is_file() else {}
        write_whole(note, (json.dumps({**known, "base": str(folder)}, indent=1) + "\n").encode())
    except (OSError, ValueError, TypeError) as error:
        raise RequestError(ErrorCode.FILE, f"{note} cannot be written: {error}") from error
    return note
