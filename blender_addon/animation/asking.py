"""The panel's settings and the scene as a series."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import bpy

from underpaint.animation.asking import Asked
from underpaint.animation.job import SCENE, save_job
from underpaint.animation.series import Series
from underpaint.blenders import Blender
from underpaint.buffers import Buffers
from underpaint.errors import ErrorCode, RequestError
from underpaint.wire.envelope import new_id

from ..image import results
from ..image.given import with_pictures
from ..image.request import image_request
from ..link import runtime
from ..link.saving import folder_name
from ..ui.properties import read_settings


def ask(context: Any) -> Path:
    """Write what is asked for, and the scene as it is, into a new folder. Raises UnderpaintError,
    OSError."""
    scene = context.scene
    if scene.camera is None:
        raise RequestError(
            ErrorCode.CAPTURE_FAILED,
            "the scene has no camera to paint an animation of",
            hint="Add a camera, or make one the scene's camera.",
        )
    group, pictures = scene.underpaint_animation, Buffers()
    settings = read_settings(scene.underpaint, pictures)
    if any(control.drawn for control in settings.active_controls):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "an animation follows no armature, objects' outlines or annotations: they are drawn "
            "for one view",
            hint="Choose This View or an image in the control's fold.",
        )
    if settings.left_alone:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "an animation leaves no object alone",
            hint="Open the locks in Objects, or paint the frames one by one.",
        )
    colours = settings.strength if settings.repaint else None
    settings = replace(settings, repaint=False)
    root = Path(bpy.path.abspath(group.folder)) if group.folder else results.results_folder()
    now = datetime.now().astimezone()
    folder = root / folder_name(f"animation {settings.prompt}", new_id(), now)
    side = runtime.native_side(settings.model)
    size, buffers = (settings.width or side, settings.height or side), Buffers()
    settings = with_pictures(settings, pictures, buffers, size)
    series = Series(
        Asked(image_request(settings, None), buffers, round(group.refresh, 6), colours),
        folder / SCENE,
        folder,
        size,
        range(scene.frame_start, scene.frame_end + 1, scene.frame_step),
        scene.camera.name_full,
    )
    save_job(series, _this_blender())
    bpy.ops.wm.save_as_mainfile(filepath=str(series.blend), copy=True, check_existing=False)
    group.last = str(folder)
    return folder


def _this_blender() -> Blender:
    """As a program, or as a module of Python."""
    program = bpy.app.binary_path
    version = ".".join(map(str, bpy.app.version))
    return Blender(version, Path(program or sys.executable), is_python=not program)
