"""The ground that things stand on: a prompt speaks of the things, so the guide leaves it out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
_LEVEL = 0.97  # of the normal's length: this much upright is level
_LOWEST = 10  # percent of the level pixels along the picture's edge that may lie lower
_EDGE = 0.05  # share of the picture's edge that a ground reaches
_THICK = 0.02  # of the height of what stands on it
_STANDING, _BELOW = 0.01, 0.02  # least and most shares of the pixels above it and beneath it


def ground_of(
    position: npt.NDArray[Any],
    normal: npt.NDArray[Any],
    up: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> Mask:
    """(h, w) bool: the level ground of a view, nothing where it has none.

    It is level, reaches the picture's edge, has something standing on it and nothing beneath it.
    `position`: (h, w, 3) metres, not finite = background. `normal`: (h, w, 3), unit length.
    """
    seen = np.isfinite(position).all(-1)
    height = np.where(seen[..., None], position, 0.0) @ np.asarray(up, np.float64)
    level = seen & (np.asarray(normal, np.float64) @ np.asarray(up, np.float64) > _LEVEL)
    edge = _edge(level)
    if not seen.any() or edge.sum() < _EDGE * _edge(np.ones_like(level)).sum():
        return np.zeros_like(seen)
    floor = np.percentile(height[edge], _LOWEST)
    thick = _THICK * (height[seen].max() - floor)
    standing = (height[seen] > floor + thick).mean()
    beneath = (height[seen] < floor - thick).mean()
    if standing < _STANDING or beneath > _BELOW:
        return np.zeros_like(seen)
    ground: Mask = level & (np.abs(height - floor) <= thick)
    return ground


def _edge(mask: Mask) -> Mask:
    """What of a mask lies along the picture's edge."""
    out = mask.copy()
    out[1:-1, 1:-1] = False
    return out
