"""Blender's images as arrays for a request."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError

from ..plain.srgb import srgb
from ..working_space import to_rec709


def color_of(image: Any) -> npt.NDArray[np.uint8]:
    """An image as (h, w, 3) uint8 sRGB, row 0 at the top. Raises RequestError(FILE)."""
    width, height = image.size
    if not width or not height:
        raise RequestError(
            ErrorCode.FILE,
            f"image {image.name!r} has no pixels",
            hint="Choose another image, or load its file again.",
        )
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    picture = pixels.reshape(height, width, image.channels)[::-1, :, :3]
    if image.channels < 3:
        picture = np.repeat(picture[..., :1], 3, axis=2)
    shown = srgb(picture @ to_rec709().T) if image.is_float else picture
    return (np.clip(shown, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
