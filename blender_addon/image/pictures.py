"""Blender's images as arrays for a request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.buffers import BufferRef, Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.files.maskfile import mask_of

from ..plain.srgb import srgb
from ..working_space import to_rec709


def color_of(image: Any) -> npt.NDArray[np.uint8]:
    """An image as (h, w, 3) uint8 sRGB, row 0 at the top. Raises RequestError(FILE)."""
    picture = _pixels_of(image)[..., :3]
    if image.channels < 3:
        picture = np.repeat(picture[..., :1], 3, axis=2)
    shown = srgb(picture @ to_rec709().T) if image.is_float else picture
    return _bytes(shown)


def taken(image: Any, pictures: Buffers | None) -> BufferRef | None:
    """An image put into `pictures`; None without either. Raises RequestError(FILE)."""
    if image is None or pictures is None:
        return None
    return pictures.add(Kind.COLOR, color_of(image))


def mask_image(image: Any) -> npt.NDArray[np.uint8]:
    """What an image marks, (h, w) uint8 with 255 = marked and row 0 at the top, read as a mask's
    file is (`underpaint.files.maskfile`). Raises RequestError(FILE)."""
    return mask_of(_bytes(_pixels_of(image)), Path(image.name))


def mask_at(mask: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    """A mask at another size: of each pixel what lies at its middle."""
    rows = ((np.arange(height) + 0.5) * mask.shape[0] / height).astype(np.int64)
    columns = ((np.arange(width) + 0.5) * mask.shape[1] / width).astype(np.int64)
    return np.ascontiguousarray(mask[rows[:, None], columns])


def _pixels_of(image: Any) -> npt.NDArray[np.float32]:
    width, height = image.size
    if not width or not height:
        raise RequestError(
            ErrorCode.FILE,
            f"image {image.name!r} has no pixels",
            hint="Choose another image, or load its file again.",
        )
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, image.channels)[::-1]


def _bytes(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    return (np.clip(picture, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
