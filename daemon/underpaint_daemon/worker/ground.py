"""The ground that things stand on: a prompt speaks of the things, so the guide leaves it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
_LEVEL = 0.97  # of the normal's length: this much upright is level
_LOWEST = 10  # percent of the level pixels along the picture's edge that may lie lower
_EDGE = 0.05  # share of the picture's edge that a ground reaches
_THICK = 0.02  # of the height of what stands on it
_STANDING, _BELOW = 0.01, 0.02  # least and most shares of the pixels above it and beneath it


@dataclass(frozen=True, slots=True)
class Heights:
    """`seen`, `level`: (h, w) bool, where there is a surface, and one that lies level; `height`:
    (h, w) metres."""

    seen: Mask
    level: Mask
    height: npt.NDArray[np.float64]


def heights_of(
    position: npt.NDArray[Any],
    normal: npt.NDArray[Any],
    up: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> Heights:
    """What a view shows. `position`: (h, w, 3) metres, not finite = background. `normal`:
    (h, w, 3), unit length."""
    seen = np.isfinite(position).all(-1)
    height = np.where(seen[..., None], position, 0.0) @ np.asarray(up, np.float64)
    level = seen & (np.asarray(normal, np.float64) @ np.asarray(up, np.float64) > _LEVEL)
    return Heights(seen, level, height)


def floor_of(view: Heights) -> float | None:
    """The height of a view's ground in metres, None where it has none: it is level, reaches the
    picture's edge, has something standing on it and nothing beneath it."""
    edge = _edge(view.level)
    if edge.sum() < _EDGE * _edge(np.ones_like(edge)).sum():
        return None
    floor = float(np.percentile(view.height[edge], _LOWEST))
    heights, thick = view.height[view.seen], _thick(view, floor)
    standing = (heights > floor + thick).mean()
    beneath = (heights < floor - thick).mean()
    return None if standing < _STANDING or beneath > _BELOW else floor


def ground_at(view: Heights, floor: float | None) -> Mask:
    """(h, w) bool: the ground at a height, nothing without one."""
    if floor is None or not view.seen.any():
        return np.zeros_like(view.seen)
    ground: Mask = view.level & (np.abs(view.height - floor) <= _thick(view, floor))
    return ground


def ground_of(
    position: npt.NDArray[Any],
    normal: npt.NDArray[Any],
    up: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> Mask:
    """(h, w) bool: the ground that a view has by itself. The arguments are `heights_of`'s."""
    view = heights_of(position, normal, up)
    return ground_at(view, floor_of(view))


def _thick(view: Heights, floor: float) -> float:
    return float(_THICK * abs(view.height[view.seen].max() - floor))


def _edge(mask: Mask) -> Mask:
    """What of a mask lies along the picture's edge."""
    out = mask.copy()
    out[1:-1, 1:-1] = False
    return out
