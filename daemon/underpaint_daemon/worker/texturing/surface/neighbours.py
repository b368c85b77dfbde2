"""What vertices have beside them: values drawn towards their neighbours', and how far triangles
bend over their edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_SIDES = ((0, 1), (1, 2), (2, 0))


def drawn_together(values: Array, corners: Array, rounds: int, share: float) -> Array:
    """Values (V, C) of vertices, `rounds` times moved by `share` towards the mean of those that
    they share a side of triangles (L, 3) with. Every vertex must be of a triangle."""
    edges = np.concatenate([corners[:, side] for side in _SIDES])
    here, there = np.concatenate([edges, edges[:, ::-1]]).T
    count = np.bincount(here, minlength=len(values))[:, None]
    for _ in range(rounds):
        sums = [np.bincount(here, column[there], len(values)) for column in values.T]
        values = (1 - share) * values + share * np.stack(sums, axis=1) / count
    return values


def bends(points: Array, corners: Array) -> Array:
    """(E,) cosines between the triangles (L, 3) of vertices (V, 3) on the two sides of each edge
    that two or more share."""
    a, b, c = points[corners].transpose(1, 0, 2)
    cross = np.cross(b - a, c - a)
    unit = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-300)
    ends = np.sort(np.concatenate([corners[:, side] for side in _SIDES]), axis=1)
    key = ends[:, 0].astype(np.int64) * len(points) + ends[:, 1]
    order = np.argsort(key, kind="stable")
    twice = key[order][1:] == key[order][:-1]
    one, other = order[:-1][twice] % len(corners), order[1:][twice] % len(corners)
    return np.asarray(np.einsum("ek,ek->e", unit[one], unit[other]))
