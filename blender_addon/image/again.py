"""The pictures that an earlier painting was made with, as Blender's images again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from underpaint.buffers import BufferRef, Buffers
from underpaint.errors import UnderpaintError
from underpaint.files.inputs import load_inputs
from underpaint.requests import Request

from .pictures import color_of, mask_at, mask_image

_KEY = "underpaint_input"


def kept_pictures(folder: Path | None, request: Request, wanted: tuple[BufferRef, ...]) -> Buffers:
    """Those that a painting's folder keeps; none where they are gone."""
    if folder is None or not wanted:
        return Buffers()
    try:
        return load_inputs(folder, request, wanted)
    except UnderpaintError:
        return Buffers()


def image_again(ref: BufferRef | None, pictures: Buffers, present: Any, name: str) -> Any:
    """The image of a picture or a mask: the `present` one where it is that already, or one that was
    made of it before, else a new one. None where `pictures` has it not."""
    if ref is None or ref.sha256 not in pictures:
        return None
    pixels = pictures[ref.sha256]
    before = [image for image in bpy.data.images if image.get(_KEY) == ref.sha256]
    found = (image for image in (present, *before) if image is not None and _is(image, pixels))
    return next(found, None) or _made(ref.sha256, pixels, name)


def _is(image: Any, pixels: npt.NDArray[Any]) -> bool:
    try:
        own = color_of(image) if pixels.ndim == 3 else mask_image(image)
    except UnderpaintError:
        return False
    if pixels.ndim == 2:
        own = mask_at(own, pixels.shape[1], pixels.shape[0])
    return np.array_equal(own, pixels)


def _made(sha256: str, pixels: npt.NDArray[Any], name: str) -> Any:
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height)
    colours = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    shown = np.ones((height, width, 4), np.float32)
    shown[..., :3] = colours[::-1, :, :3] / np.float32(255)
    image.pixels.foreach_set(shown.ravel())
    image.pack()
    image[_KEY] = sha256
    return image
