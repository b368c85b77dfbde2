"""Depth as a control image: near is white, and neither one pixel nor a wall before the lens takes
the greys away from everything else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Image8 = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
_FLOOR = 16 / 255
_FEW = 0.01
"""At most this part of the surface may be left out of the range as strays."""
_STRETCH = 2.0
"""Strays are left out when they would stretch the range by more than this."""
_EMPTY_RATIO = 3.0
"""Depths this far apart, with nothing between, are groups that get greys of their own."""
_FLAT = 1.02
_BETWEEN = 0.04
_SAMPLES = 1 << 18
_ZOE_PERCENTILES = (2, 85)


@dataclass(frozen=True, slots=True)
class DepthCurve:
    """From depth to grey: piecewise linear through (`at`, `grey`), ascending `at`.

    `inverse`: `at` is in 1/metres, else in metres. Beyond the ends greys stay. `warning`: what was
    clamped or set apart; empty when all depths follow one line.
    """

    at: tuple[float, ...]
    grey: tuple[float, ...]
    inverse: bool = True
    warning: str = ""

    def __call__(self, depth: npt.NDArray[Any]) -> Floats:
        """Greys 0..1 of finite depths in metres."""
        metres = depth.astype(np.float64)
        found: Floats = np.interp(1 / metres if self.inverse else metres, self.at, self.grey)
        return found


def depth_control(depth: npt.NDArray[Any], curve: DepthCurve | None = None) -> Image8:
    """Depth as (h, w, 3) uint8: 255 = nearest, 0 = farthest and background.

    `depth`: (h, w), metres along the view axis, +inf = background. `curve`: one for a series, else
    made for this picture: inverse depth between the nearest and the farthest (the convention of
    MiDaS and the depth ControlNets), see `inverse_curve`. Surfaces keep at least 16/255 where
    there is background, so that they stay apart from it.
    """
    finite = np.isfinite(depth)
    out = np.zeros((*depth.shape, 3), np.uint8)
    if not finite.any():
        return out
    grey = (curve or inverse_curve([depth]))(depth[finite])
    floor = 0.0 if finite.all() else _FLOOR
    out[finite] = np.round((floor + (1 - floor) * grey) * 255).astype(np.uint8)[:, None]
    return out


def curve_between(near: float, far: float, *, inverse: bool = True) -> DepthCurve:
    """From white at `near` metres to black at `far`; nearer things are white. By inverse depth, or
    evenly by metres (ZoeDepth's way)."""
    if not inverse:
        return DepthCurve((near, far), (1.0, 0.0), inverse=False)
    return DepthCurve((1 / far, 1 / near), (0.0, 1.0))


def linear_curve(depths: Iterable[npt.NDArray[Any]]) -> DepthCurve:
    """ZoeDepth's way: metres between percentiles, over all the pictures together."""
    near, far = np.percentile(_metres(depths), _ZOE_PERCENTILES)
    return DepthCurve((float(near), float(max(far, near * 1.0001))), (1.0, 0.0), inverse=False)


def inverse_curve(depths: Iterable[npt.NDArray[Any]]) -> DepthCurve:
    """One curve for all the pictures of a series.

    Straight in inverse depth, but for two things. Strays (at most 1 % of the surface, at either
    end) that would take more than half the greys are clamped. Groups of depths with nothing between
    a depth and three times it share the greys evenly, except flat ones, which need but one.
    """
    inverse = np.sort(1 / _metres(depths))
    kept = _without_strays(inverse)
    groups = [g for g in np.split(kept, _empty(kept)) if len(g)]
    curve = _straight(kept) if len(groups) < 2 else _shared(groups)
    warning = _told(inverse, kept, groups)
    return DepthCurve(curve.at, curve.grey, warning=warning)


def _metres(depths: Iterable[npt.NDArray[Any]]) -> Floats:
    """Finite depths of all the pictures, evenly sampled when they are many; [1.0] if none."""
    found = [depth[np.isfinite(depth)].astype(np.float64) for depth in depths]
    every = np.concatenate([*found, np.empty(0)])
    every = every[every > 0]
    if not len(every):
        return np.ones(1)
    step = max(1, len(every) // _SAMPLES)
    ends = np.array([every.min(), every.max()])
    return np.concatenate([every[::step], ends])


def _without_strays(ascending: Floats) -> Floats:
    """Cut few far-off values from both ends, at the widest gap among them."""
    few = int(len(ascending) * _FEW) + 1  # the two ends are counted twice, see `_metres`
    kept = ascending
    for flip in (False, True):
        turned = -kept[::-1] if flip else kept
        cut = _cut(turned, few)
        kept = -turned[:cut][::-1] if flip else turned[:cut]
    return kept


def _cut(ascending: Floats, few: int) -> int:
    """How many to keep at the low end."""
    start = max(1, len(ascending) - few - 1)
    gaps = np.diff(ascending[start - 1 :])
    if not len(gaps):
        return len(ascending)
    last = start - 1 + int(gaps.argmax())
    rest = ascending[last] - ascending[0]
    if ascending[-1] - ascending[0] > _STRETCH * rest and (rest > 0 or last > 0):
        return last + 1
    return len(ascending)


def _empty(ascending: Floats) -> npt.NDArray[np.int64]:
    """Where groups begin: after depths with nothing up to a third of them."""
    ratio = ascending[1:] / ascending[:-1]
    return np.flatnonzero(ratio >= _EMPTY_RATIO) + 1


def _straight(ascending: Floats) -> DepthCurve:
    low, high = float(ascending[0]), float(ascending[-1])
    if high <= low:
        return DepthCurve((low * 0.5, low), (0.0, 1.0))
    return DepthCurve((low, high), (0.0, 1.0))


def _shared(groups: list[Floats]) -> DepthCurve:
    """Even shares of the greys for groups that have relief, a little between all of them."""
    relief = [float(g[-1] / g[0]) > _FLAT for g in groups]
    share = (1 - _BETWEEN * (len(groups) - 1)) / max(1, sum(relief))
    at, grey, level = list[float](), list[float](), 0.0
    for group, deep in zip(groups, relief, strict=True):
        top = level + (share if deep else 0.0)
        at += [float(group[0]), float(max(group[-1], group[0] * 1.0000001))]
        grey += [level, top]
        level = top + _BETWEEN
    # Flat groups alone leave room at the top: the nearest is white all the same.
    return DepthCurve(tuple(at), tuple(g / grey[-1] if grey[-1] else 1.0 for g in grey))


def _told(inverse: Floats, kept: Floats, groups: list[Floats]) -> str:
    if inverse[-1] > kept[-1]:
        return (
            f"Depth control: what is nearer than {_m(kept[-1])} (as near as {_m(inverse[-1])}) is "
            "one white, so that the rest keeps its form"
        )
    if len(groups) > 1:
        ranges = " and ".join(f"{_m(g[-1])} to {_m(g[0])}" for g in reversed(groups))
        return f"Depth control: there are things at {ranges}; each keeps greys of its own"
    return ""


def _m(inverse: float) -> str:
    return f"{1 / inverse:.3g} m"
