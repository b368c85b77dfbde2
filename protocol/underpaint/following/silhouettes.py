"""What chosen objects look like as a control: their outline, or flat colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..pictures.segments import segments
from ..requests import ControlKind
from .lines import Image8, thicker

WIDTHS = {
    ControlKind.SCRIBBLE: 7.0,
    ControlKind.SOFTEDGE: 5.0,
    ControlKind.LINEART: 3.0,
}
"""Pixels of a line at 512 pixels, as each kind of network is used to; others: 2."""
_USUAL_WIDTH = 2.0
_REFERENCE_SIDE = 512


def line_width(kind: ControlKind, width: int, height: int) -> float:
    """How thick a kind's lines are in a picture of this size, pixels."""
    return max(1.0, WIDTHS.get(kind, _USUAL_WIDTH) * min(width, height) / _REFERENCE_SIDE)


def silhouettes(
    kind: ControlKind, object_id: npt.NDArray[Any], chosen: Sequence[int]
) -> Image8 | None:
    """The control picture (h, w, 3) of the objects with these ids in `object_id` (h, w); None where
    none of them is seen. Of segments each in its own colour; of the rest their outline, white."""
    mask = np.isin(object_id, chosen)
    if not mask.any():
        return None
    if kind is ControlKind.SEGMENT:
        return segments(np.where(mask, object_id, 0))
    height, width = mask.shape
    around = thicker(_outline(mask), round((line_width(kind, width, height) - 1) / 2))
    return np.repeat((around * np.uint8(255))[..., None], 3, axis=2)


def _outline(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The pixels of a mask beside others; the picture's edge is none."""
    wide = np.pad(mask, 1, mode="edge")
    inside = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return mask & ~inside
