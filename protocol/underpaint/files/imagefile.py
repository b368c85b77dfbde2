"""Image files from and to arrays, for the command line and scripts (needs Pillow)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..buffers import MAX_PIXELS
from ..errors import ErrorCode, RequestError

Image8 = npt.NDArray[np.uint8]
_FORMATS = ("PNG", "JPEG", "WEBP")


def read_color(path: Path) -> Image8:
    """An image as (h, w, 3) uint8 sRGB. Raises RequestError(FILE) that names the file."""
    return _read(path, "RGB")


def read_mask(path: Path) -> Image8:
    """An image as (h, w) uint8: white (255) is painted, black (0) is kept."""
    return _read(path, "L")


def read_depth(path: Path) -> npt.NDArray[np.float32]:
    """A `.npy` depth map as (h, w) float32: metres along the view axis, +inf = background."""
    try:
        array: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise RequestError(ErrorCode.FILE, f"{path} cannot be read as .npy: {error}") from error
    return array.astype(np.float32)


def _read(path: Path, mode: str) -> Image8:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise RequestError(
                    ErrorCode.TOO_LARGE, f"{path} is {image.width}×{image.height} pixels"
                )
            return np.asarray(image.convert(mode), dtype=np.uint8)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise RequestError(
            ErrorCode.FILE, f"{path} cannot be read as PNG, JPEG or WebP: {error}"
        ) from error
