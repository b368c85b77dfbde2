"""Pictures about a texture: contact sheets and the map of where it is weak."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ..projection.tiers import BESIDE, FILLED, GUTTER, KEPT

Image8 = npt.NDArray[np.uint8]
_SHADE = 96
# Seen well, at an angle, barely, by the pixel beside; filled, gutter, left as it was.
_COLOURS = {
    1: (38, 160, 92),
    2: (212, 190, 60),
    3: (226, 130, 46),
    BESIDE: (190, 78, 140),
    FILLED: (204, 52, 52),
    GUTTER: (70, 70, 78),
    KEPT: (70, 110, 170),
}


def contact_sheet(pictures: Sequence[Image8], columns: int | None = None) -> Image8:
    """Pictures (h, w, 3) uint8 side by side on dark grey, each centred in an equal cell."""
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    rows = -(-len(pictures) // columns)
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    sheet = np.full((rows * height, columns * width, 3), _SHADE // 2, np.uint8)
    for i, picture in enumerate(pictures):
        top = (i // columns) * height + (height - picture.shape[0]) // 2
        left = (i % columns) * width + (width - picture.shape[1]) // 2
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return sheet


def heat_map(tier: npt.NDArray[Any]) -> Image8:
    """A provenance map of tiers (h, w) as colours: green seen well, yellow and orange seen at an
    angle, pink by the pixel beside, red filled in, grey gutter, blue left as it was, black
    nothing."""
    picture = np.zeros((*tier.shape, 3), np.uint8)
    for value, colour in _COLOURS.items():
        picture[tier == value] = colour
    return picture


def fitted(picture: Image8, side: int) -> Image8:
    """A picture made smaller until its longer side is at most `side`."""
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def plain_png(picture: Image8) -> bytes:
    """PNG bytes of a picture that carries no recipe."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, "PNG", compress_level=4)
    return stream.getvalue()
