"""The picture that is marked: a copy to paint on, so that picture and marks are seen as one."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from underpaint.errors import ErrorCode, RequestError

from .request import Picture

OF_KEY = "underpaint_marks_of"
BEFORE_KEY = "underpaint_before"
COMPARED_KEY = "underpaint_compared"


def need_image(context: Any, name: str = "") -> Any:
    """The image of this name, or the one that the Image Editor shows. Raises RequestError(FILE)."""
    space = context.space_data
    shown = space.image if space is not None and space.type == "IMAGE_EDITOR" else None
    image = bpy.data.images.get(name) if name else shown
    if image is None or not all(image.size):
        raise RequestError(
            ErrorCode.FILE,
            "there is no picture to work on",
            hint="Open a picture in the Image Editor first.",
        )
    return image


def original_of(image: Any) -> Any:
    """The picture that an image marks; None for any other image."""
    return image.get(OF_KEY) if image is not None else None


def of(image: Any) -> Any:
    """The marks that a picture has already; None if it has none."""
    return next((other for other in bpy.data.images if original_of(other) == image), None)


def begin(image: Any) -> Any:
    """A copy of a picture to be marked."""
    width, height = image.size
    marks = bpy.data.images.new(
        f"{image.name} marks", width, height, alpha=True, float_buffer=image.is_float
    )
    marks.colorspace_settings.name = image.colorspace_settings.name
    write(marks, read(image))
    marks[OF_KEY] = image
    return marks


def read(image: Any) -> Picture:
    """(h, w, 4) float32, row 0 at the bottom."""
    width, height = image.size
    flat = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(flat)
    pixels = flat.reshape(height, width, image.channels)
    if image.channels == 4:
        return pixels
    colour = pixels[..., :3] if image.channels == 3 else np.repeat(pixels[..., :1], 3, axis=2)
    return np.concatenate([colour, np.ones((height, width, 1), np.float32)], axis=2)


def write(image: Any, pixels: Picture) -> None:
    """Put (h, w, 4) pixels into an image of four channels."""
    image.pixels.foreach_set(np.ascontiguousarray(pixels).ravel())
    image.update()


def show(old: tuple[Any, ...], new: Any) -> None:
    """Let the Image Editors that show one of the old images show the new one."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR" and area.spaces.active.image in old:
                area.spaces.active.image = new
                area.tag_redraw()


def finish(result: Any, marks_name: str) -> None:
    """A picture made of another has come: it takes the place of that, or of its marks, and knows
    what was before."""
    marks = bpy.data.images.get(marks_name)
    if marks is None:
        return
    original = original_of(marks)
    result[BEFORE_KEY] = original or marks
    show((marks, original) if original else (marks,), result)
    if original is not None:
        bpy.data.images.remove(marks)


def compare(one: Any, other: Any) -> None:
    """From now on each of two pictures is the other's other side."""
    one[COMPARED_KEY], other[COMPARED_KEY] = other, one


def other_side(image: Any) -> Any:
    """Before for after, and after for before. Raises RequestError(FILE) when there is none."""
    compared, before = image.get(COMPARED_KEY), image.get(BEFORE_KEY)
    after = [other for other in bpy.data.images if other.get(BEFORE_KEY) == image]
    other = compared or before or next(iter(reversed(after)), None)
    if other is None:
        raise RequestError(
            ErrorCode.FILE,
            f"{image.name!r} was not repainted, so there is nothing to compare it with",
            hint="Mark a spot, press Repaint Here, and compare then.",
        )
    return other
