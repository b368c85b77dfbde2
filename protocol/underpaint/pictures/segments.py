"""Objects as flat colours: what a segmentation ControlNet is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_GOLDEN = 0.618033988749895


def segments(object_id: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """A colour of its own for each object, (h, w, 3) uint8; the background (0) is black.

    Hues walk the circle by the golden ratio, so that neighbouring numbers differ most and a number
    has its colour in every view.
    """
    number = object_id.astype(np.int64)
    hue = (number * _GOLDEN) % 1.0
    rgb = np.stack([np.abs((hue + shift) % 1.0 * 6 - 3) - 1 for shift in (0.0, 2 / 3, 1 / 3)], -1)
    value = 0.55 + 0.45 * ((number * 7) % 5 / 4)
    colours = np.round(rgb.clip(0, 1) * value[..., None] * 255).astype(np.uint8)
    colours[number == 0] = 0
    return colours
