"""Results into the .blend: images with their recipe, the gallery, the camera's background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest
from underpaint.tree import from_json, to_json

from .session import Task

REQUEST_KEY = "underpaint_request"
JOB_KEY = "underpaint_job"
SOURCE_KEY = "digital_source_type"
# IPTC's term for images made by a trained model; it travels with the .blend.
AI_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_NAME_BYTES = 59


def results_folder(package: str) -> Path:
    """Where results go: beside the saved .blend, else the extension's own user folder."""
    if bpy.data.filepath:
        return Path(bpy.data.filepath).parent / "underpaint"
    return Path(bpy.utils.extension_path_user(package, path="results", create=True))


def apply_task(context: Any, task: Task) -> list[Any]:
    """Load a finished task's images into the file that is open now; the new bpy images.

    The scene may have been renamed or deleted since: then the present scene gets them.
    """
    scene = bpy.data.scenes.get(task.scene) or context.scene
    images = [_load(path, task) for path in task.files]
    for image in images:
        entry = scene.underpaint.results.add()
        entry.name, entry.image = image.name, image
    scene.underpaint.active_result = len(scene.underpaint.results) - 1
    if scene.underpaint.to_background:
        show_behind_camera(scene, images[-1])
    return images


def request_of(image: Any) -> ImageRequest:
    """The request that made an image. Raises RequestError(FILE) when it is not one of ours."""
    text = image.get(REQUEST_KEY) if image is not None else None
    request = from_json(text) if text else None
    if not isinstance(request, ImageRequest):
        raise RequestError(ErrorCode.FILE, "this image carries no Underpaint settings")
    return request


def show_behind_camera(scene: Any, image: Any) -> None:
    """Make an image the scene camera's background, in the place of an earlier result."""
    camera = scene.camera
    if camera is None or camera.type != "CAMERA":
        raise RequestError(
            ErrorCode.CAPTURE_FAILED, "the scene has no camera to show the image behind"
        )
    backgrounds = camera.data.background_images
    ours = [b for b in backgrounds if b.image is not None and JOB_KEY in b.image]
    place = ours[0] if ours else backgrounds.new()
    place.image = image
    place.display_depth = "FRONT"
    place.frame_method = "STRETCH"
    place.alpha = 1.0
    camera.data.show_background_images = True


def image_name(prompt: str) -> str:
    """The prompt, as long as Blender's data-block names may be (63 bytes with a `.001`)."""
    return prompt.encode()[:_NAME_BYTES].decode(errors="ignore").strip() or "Underpaint"


def _load(path: Path, task: Task) -> Any:
    image = bpy.data.images.load(str(path), check_existing=False)
    image.name = image_name(task.request.prompt.text)
    image[REQUEST_KEY] = to_json(task.request)
    image[JOB_KEY] = task.id
    image[SOURCE_KEY] = AI_SOURCE
    if not bpy.app.background:
        image.preview_ensure()
    return image
