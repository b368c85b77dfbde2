"""What is noted beside a model's file, in its `NAME.underpaint.json`. No bpy."""

from __future__ import annotations

import json
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError
from underpaint.files.saving import write_whole

_INDEX, _CHECKPOINT = "model_index.json", ".safetensors"


def note_base(file: Path, base: Path) -> Path:
    """Note the whole model, a folder or a checkpoint, that a transformer's or UNet's file takes its
    other parts from; the file of the note. The daemon says whether the two go together.

    Raises RequestError(FILE, BAD_REQUEST).
    """
    if not file.is_file():
        raise RequestError(ErrorCode.FILE, "the chosen model is no file of its own")
    whole = base.suffix == _CHECKPOINT and base.is_file()
    if not whole and not (base / _INDEX).is_file():
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"{base} is no model's folder",
            hint="Choose the folder that has model_index.json in it, or for a UNet a checkpoint.",
        )
    note = file.with_suffix(".underpaint.json")
    try:
        known = json.loads(note.read_text("utf-8")) if note.is_file() else {}
        write_whole(note, (json.dumps({**known, "base": str(base)}, indent=1) + "\n").encode())
    except (OSError, ValueError, TypeError) as error:
        raise RequestError(ErrorCode.FILE, f"{note} cannot be written: {error}") from error
    return note
