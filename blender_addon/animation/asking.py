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
from underpaint.animation.scene_parts import Parts
from underpaint.animation.series import Series
from underpaint.blenders import Blender
from underpaint.buffers import Buffers
from underpaint.errors import ErrorCode, RequestError
from underpaint.following.drawing import lacking
from underpaint.following.sights import Sighted
from underpaint.wire.envelope import new_id

from ..capture.sources import resolve
from ..following.sighting import sights
from ..image import results
from ..image.given import with_pictures
from ..image.request import ImageSettings, image_request
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
    colours = settings.strength if settings.repaint else None
    settings = replace(settings, repaint=False)
    root = Path(bpy.path.abspath(group.folder)) if group.folder else results.results_folder()
    now = datetime.now().astimezone()
    folder = root / folder_name(f"animation {settings.prompt}", new_id(), now)
    side = runtime.native_side(settings.model)
    size, buffers = (settings.width or side, settings.height or side), Buffers()
    settings = with_pictures(settings, pictures, buffers, size)
    request, parts = image_request(settings, None), _parts(context, settings, size)
    series = Series(
        Asked(request, buffers, round(group.refresh, 6), colours, parts),
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


def _parts(context: Any, settings: ImageSettings, size: tuple[int, int]) -> Parts:
    """What each frame is asked for itself. Raises RequestError where a control is to follow what
    the scene has not."""
    drawings = tuple(control.drawing for control in settings.active_controls)
    if any(drawings):
        camera = resolve(None, context.evaluated_depsgraph_get(), *size)
        seen = Sighted(size, sights(context, camera))
        problems = [lacking(drawing, seen) for drawing in drawings if drawing is not None]
        for problem in problems:
            if problem is not None:
                raise problem
    return Parts(drawings, settings.left_alone, object_words=settings.object_prompts)


def _this_blender() -> Blender:
    """As a program, or as a module of Python."""
    program = bpy.app.binary_path
    version = ".".join(map(str, bpy.app.version))
    return Blender(version, Path(program or sys.executable), is_python=not program)
