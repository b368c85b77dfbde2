"""Outpainting: a picture on a larger canvas, and the mask of what is to be painted there.

It is an inpainting like any other: `outpaint` makes the InpaintRequest. Every pixel of the picture
comes back unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..buffers import Buffers, Kind
from ..errors import ErrorCode, RequestError
from ..requests import InpaintRequest, Prompt

Image8 = npt.NDArray[np.uint8]
MAX_SIDE = 8192
_FEATHER = 8


@dataclass(frozen=True, slots=True)
class Sides:
    """Pixels to add on each side."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0


def sides_for(width: int, height: int, aspect: float) -> Sides:
    """What brings a picture to an aspect (width / height), as much on both sides; nothing is cut
    off. Raises RequestError(BAD_REQUEST)."""
    if not 0.05 <= aspect <= 20:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"aspect is {aspect:g}; expected 0.05 to 20 (16:9 is 1.78)"
        )
    across = max(0, round(height * aspect) - width)
    down = 0 if across else max(0, round(width / aspect) - height)
    return Sides(across // 2, down // 2, across - across // 2, down - down // 2)


def grown(image: Image8, sides: Sides) -> tuple[Image8, npt.NDArray[np.uint8]]:
    """The picture (h, w, 3 or 4) on the larger canvas, its edges continued, and the mask of what
    was added, 255 there. Raises RequestError: BAD_REQUEST, TOO_LARGE."""
    added = (sides.left, sides.top, sides.right, sides.bottom)
    if min(added) < 0 or not any(added):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"sides are {added}: nothing is added",
            hint="Say how many pixels to add on the left, top, right or bottom.",
        )
    rows, columns = (sides.top, sides.bottom), (sides.left, sides.right)
    height, width = image.shape[0] + sum(rows), image.shape[1] + sum(columns)
    if max(height, width) > MAX_SIDE:
        raise RequestError(
            ErrorCode.TOO_LARGE, f"the canvas would be {width}×{height}; at most {MAX_SIDE} a side"
        )
    canvas = np.pad(image, (rows, columns, (0, 0)), mode="edge")
    mask = np.full((height, width), 255, np.uint8)
    mask[sides.top : height - sides.bottom, sides.left : width - sides.right] = 0
    return canvas, mask


def outpaint(
    image: Image8, sides: Sides, buffers: Buffers, prompt: Prompt, **fields: Any
) -> InpaintRequest:
    """The request that paints what is added. `fields`: of InpaintRequest (model, sampling, …).

    Raises RequestError: BAD_REQUEST, TOO_LARGE.
    """
    canvas, mask = grown(image, sides)
    return InpaintRequest(
        prompt,
        buffers.add(Kind.COLOR, canvas),
        buffers.add(Kind.MASK, mask),
        **({"feather": _FEATHER} | fields),
    )
