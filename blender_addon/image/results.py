"""Results into the .blend: images with their recipe, the gallery, the camera's background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Request
from underpaint.tree import from_json

from ..identity import ADDON
from ..layers import results
from ..link.marks import JOB_KEY, REQUEST_KEY, image_name, mark
from ..link.task import Task
from ..viewport import shading


def results_folder() -> Path:
    """Where results go: beside the saved .blend, else the extension's own user folder."""
    if bpy.data.filepath:
        return Path(bpy.data.filepath).parent / "underpaint"
    return Path(bpy.utils.extension_path_user(ADDON, path="results", create=True))


def apply_task(context: Any, task: Task) -> list[Any]:
    """Load a finished task's images into the file that is open now; the new bpy images.

    The scene may have been renamed or deleted since: then the present scene gets them. Textures
    become layers. Raises UnderpaintError when what was painted is gone.
    """
    scene = bpy.data.scenes.get(task.scene) or context.scene
    if task.target is not None:
        painted = results.apply_texture(task, task.target)
        if scene.underpaint_texture.show_solid:
            shading.show_textures_in_solid(context)
        return painted
    images = [_load(path, task) for path in task.files]
    for image in images:
        entry = scene.underpaint.results.add()
        entry.name, entry.image = image.name, image
    scene.underpaint.active_result = len(scene.underpaint.results) - 1
    if scene.underpaint.to_background:
        show_behind_camera(scene, images[-1])
    return images


def request_of(image: Any) -> Request:
    """The request that made an image. Raises RequestError(FILE) when it is not one of ours."""
    text = image.get(REQUEST_KEY) if image is not None else None
    request = from_json(text) if text else None
    if request is None:
        raise RequestError(
            ErrorCode.FILE,
            "this image carries no Underpaint settings",
            hint="Choose an image that Underpaint painted.",
        )
    return request


def show_behind_camera(scene: Any, image: Any) -> None:
    """Make an image the scene camera's background, in the place of an earlier result."""
    camera = scene.camera
    if camera is None or camera.type != "CAMERA":
        raise RequestError(
            ErrorCode.CAPTURE_FAILED,
            "the scene has no camera to show the image behind",
            hint="Add a camera, or make one the scene's camera.",
        )
    backgrounds = camera.data.background_images
    ours = [b for b in backgrounds if b.image is not None and JOB_KEY in b.image]
    place = ours[0] if ours else backgrounds.new()
    place.image = image
    place.display_depth = "FRONT"
    place.frame_method = "STRETCH"
    place.alpha = 1.0
    camera.data.show_background_images = True


def _load(path: Path, task: Task) -> Any:
    image = bpy.data.images.load(str(path), check_existing=False)
    image.name = image_name(task.request.prompt.text)
    mark(image, task)
    if not bpy.app.background:
        image.preview_ensure()
    return image
