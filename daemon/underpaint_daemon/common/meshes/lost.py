"""Corners that a mesh cannot be painted at: without a place, or so far off that the rest is a
speck beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError

Array = npt.NDArray[Any]
FARTHEST = 1e12  # metres: what float32 can still square
MOST_LOST = 0.1  # of the triangles: where more are, the mesh as a whole is broken
MEND = (
    "Delete or mend those vertices (in Blender: look for a modifier or geometry nodes that divide "
    "by zero)."
)
_LOOKED_AT = 30_000  # corners, or triangles
_AT_ONCE = 1 << 15  # triangles
_MOST = 0.98
_SPECK = 1000.0
_SPARSE = 300.0  # times as wide as its triangles would be, laid side by side


def lost_triangles(points: Array) -> Array:
    """(L,) bool: triangles of corners (3L, 3) one of which is nowhere: NaN, infinite, or farther
    than any scene reaches."""
    lost = np.empty(len(points) // 3, bool)
    for at in range(0, len(lost), _AT_ONCE):
        corners = points[3 * at : 3 * (at + _AT_ONCE)].reshape(-1, 9)
        with np.errstate(invalid="ignore"):
            lost[at : at + _AT_ONCE] = ~(np.abs(corners).max(axis=1) <= FARTHEST)
    return lost


def told_of_lost(points: Array, lost: Array, called: Callable[[int], str] | None) -> str:
    """What is wrong, and where, in words. lost (L,) bool: see `lost_triangles`."""
    with np.errstate(invalid="ignore"):
        there = np.abs(points).max(axis=1) <= FARTHEST
    first = int(np.flatnonzero(~there)[0])
    name = f"a corner of triangle {first // 3 + 1}" if called is None else called(first)
    x, y, z = points[first].tolist()
    near = points[first // 3 * 3 : first // 3 * 3 + 3][there[first // 3 * 3 : first // 3 * 3 + 3]]
    beside = f", beside ({', '.join(f'{n:.3g}' for n in near[0].tolist())})" if len(near) else ""
    return (
        f"{int(lost.sum())} of {len(lost)} triangles have a corner that is nowhere, such as "
        f"{name}{beside}: its place is ({x:.3g}, {y:.3g}, {z:.3g})"
    )


def refuse_lost(points: Array, lost: Array, called: Callable[[int], str] | None) -> None:
    """Raise RequestError(BAD_MESH) where too much is lost to paint the rest."""
    if lost.mean() > MOST_LOST:
        raise RequestError(ErrorCode.BAD_MESH, told_of_lost(points, lost, called), hint=MEND)


def told_of_strays(points: Array, called: Callable[[int], str] | None) -> str | None:
    """A sentence where a few corners are so far from all others that views of the whole show
    next to nothing; None where none are."""
    seen = points[:: -(-len(points) // _LOOKED_AT)].astype(np.float64)
    low, high = np.quantile(seen, (1 - _MOST, _MOST), axis=0)
    inner = float((high - low).max())
    middle = np.median(seen, axis=0)
    farthest = _farthest(points, middle.astype(np.float32))
    away = float(np.abs(points[farthest] - middle).max())
    if inner <= 0 or away < _SPECK * inner:
        return _told_of_specks(points, inner)
    name = "a corner" if called is None else called(farthest)
    x, y, z = points[farthest].tolist()
    return (
        f"Nearly all of the mesh is within {inner:.3g} m, and {name} lies {away:.3g} m "
        f"from it, at ({x:.4g}, {y:.4g}, {z:.4g}): views that take in both show a speck. Delete "
        "what is far off, or paint it by itself."
    )


def _farthest(points: Array, middle: Array) -> int:
    """The row of the corner that is farthest from a place along an axis."""
    low, high = points.min(axis=0), points.max(axis=0)
    axis = int(np.maximum(middle - low, high - middle).argmax())
    above = high[axis] - middle[axis] >= middle[axis] - low[axis]
    return int(points[:, axis].argmax() if above else points[:, axis].argmin())


def _told_of_specks(points: Array, across: float) -> str | None:
    """The same of parts that are small and far from each other."""
    corners = points.reshape(-1, 3, 3)
    few = corners[:: -(-len(corners) // _LOOKED_AT)].astype(np.float64)
    side = float(np.median(np.linalg.norm(few[:, 1] - few[:, 0], axis=1)))
    if across < _SPARSE * side * len(corners) ** 0.5:
        return None
    return (
        f"The mesh is {across:.3g} m across, and its parts are small and far apart: views that "
        "take in all of it show specks. Move them together, or paint them one by one."
    )
