"""A series on disk: asked for by one program, painted by another, gone on with at any time.

job.json      what is asked
scene.blend   the scene as it was when it was asked
inputs-….npz  the pictures that the request refers to
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..blenders import Blender
from ..errors import ErrorCode, RequestError
from ..files.inputs import load_inputs, save_inputs
from ..requests import ImageRequest
from ..tree import from_plain, request_digest, to_plain
from . import scene_parts
from .asking import Asked
from .series import Series

SCENE = "scene.blend"
_JOB = "job.json"


def save_job(series: Series, blender: Blender) -> None:
    """Write what is asked into the series' folder, beside the scene, which is the caller's to
    write. Raises OSError."""
    request, buffers = series.asked.request, series.asked.buffers
    series.out.mkdir(parents=True, exist_ok=True)
    save_inputs(series.out, request_digest(request), buffers)
    told = {
        "request": to_plain(request),
        "refresh": series.asked.refresh,
        "colours": series.asked.colours,
        "parts": scene_parts.to_plain(series.asked.parts),
        "size": series.size,
        "frames": None if series.frames is None else list(series.frames),
        "camera": series.camera,
        "blender": [blender.version, str(blender.executable), blender.is_python],
    }
    (series.out / _JOB).write_text(json.dumps(told, indent=1), encoding="utf-8")


def load_job(folder: Path) -> tuple[Series, Blender]:
    """The series of a folder. Raises RequestError(FILE)."""
    told = _read(folder)
    try:
        request = from_plain(told["request"])
        version, executable, is_python = told["blender"]
        width, height = told["size"]
        frames, camera, refresh = told["frames"], told["camera"], float(told["refresh"])
        colours = None if told["colours"] is None else float(told["colours"])
        parts = scene_parts.from_plain(told["parts"]) if "parts" in told else scene_parts.Parts()
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from error
    if not isinstance(request, ImageRequest):
        raise _damaged(folder, "it asks for no pictures")
    asked = Asked(request, load_inputs(folder, request), refresh, colours, parts)
    series = Series(asked, folder / SCENE, folder, (width, height), frames, camera)
    return series, Blender(version, Path(executable), bool(is_python))


def _read(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / _JOB).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(folder, str(error)) from error
    if not isinstance(told, dict):
        raise _damaged(folder, "it is no object")
    return told


def _damaged(folder: Path, why: str) -> RequestError:
    return RequestError(
        ErrorCode.FILE,
        f"the animation in {folder} cannot be gone on with: {_JOB}: {why}",
        hint="Paint the animation anew.",
    )
