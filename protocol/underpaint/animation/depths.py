"""One range of depth for a whole series, so that the greys of a depth control mean the same metres
in all its frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..requests import Control, ControlKind
from .asking import Asked

_FRAMES, _SIDE = 9, 96
_STRAYS = 1.0  # percent of the surface, at either end
_FLAT = 1.02

Range = tuple[float, float]


def looked_at(frames: Sequence[int]) -> list[int]:
    """The frames that stand for all: a few, evenly spread, the first and the last among them."""
    places = np.linspace(0, len(frames) - 1, min(_FRAMES, len(frames))).round().astype(int)
    return [frames[place] for place in places.tolist()]


def small(size: tuple[int, int]) -> tuple[int, int]:
    """A size in the same proportions that is captured in no time."""
    scale = min(1.0, _SIDE / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height


def range_of(depths: Iterable[npt.NDArray[Any]]) -> Range | None:
    """Metres of the nearest and the farthest surface, strays left out; None of no surface."""
    found = [depth[np.isfinite(depth)] for depth in depths]
    every = np.concatenate([np.empty(0), *found])
    if not len(every):
        return None
    near, far = np.percentile(every, (_STRAYS, 100 - _STRAYS)).tolist()
    return float(f"{near:.4g}"), float(f"{max(far, near * _FLAT):.4g}")


def wants_range(asked: Asked) -> bool:
    """Whether a depth control looks at each picture by itself."""
    return any(map(_is_open, asked.request.controls or ()))


def ranged(asked: Asked, limits: Range) -> Asked:
    """What is asked with that range for its depth controls."""
    controls = asked.request.controls and tuple(
        replace(control, depth_range=limits) if _is_open(control) else control
        for control in asked.request.controls
    )
    return replace(asked, request=replace(asked.request, controls=controls))


def _is_open(control: Control) -> bool:
    own = control.kind is ControlKind.DEPTH and control.image is None
    return own and control.depth_range is None
