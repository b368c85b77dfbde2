"""What the corners of triangles tell of a surface: which are in one place, normals, areas. Some at
a time, since in double precision all at once takes several times the mesh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_AT_ONCE = 1 << 13  # triangles


def weld(points: Array) -> Array:
    """Vertex numbers (N,) int64 of points (N, 3) float32: equal where the points are equal.

    By a 64-bit hash, an order of magnitude faster than sorting rows; among 60 million corners two
    places share one about once in ten thousand meshes.
    """
    key = np.zeros(len(points), np.uint64)
    for axis in range(3):  # +0 makes -0 and 0 the same bits
        key ^= (points[:, axis].astype(np.float32) + np.float32(0)).view(np.uint32)
        key *= np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64)


def smooth_normals(
    points: Array,
    vertex: Array | None = None,
    rows: Array | None = None,
    only: Array | None = None,
) -> Array:
    """Vertex normals (3L, 3) float32: area-weighted over the triangles that share a position.
    vertex (3L,): `weld` of the points, where it is known; or (V,) of a table whose rows (3L,) they
    are. only (3L,) bool: whose are asked for."""
    vertex = weld(points) if vertex is None else vertex

    def numbers(corners: slice) -> Array:
        assert vertex is not None
        return np.asarray(vertex[corners] if rows is None else vertex[rows[corners]])

    summed = np.zeros((int(vertex.max(initial=-1)) + 1, 3))
    for corners, own in _own_normals(points):
        np.add.at(summed, numbers(corners), own)
    normals = np.empty((len(points) if only is None else int(only.sum()), 3), np.float32)
    at = 0
    for corners, own in _own_normals(points):
        asked = slice(None) if only is None else only[corners]
        found = _chosen_normals(summed[numbers(corners)[asked]], own[asked])
        normals[at : at + len(found)] = found
        at += len(found)
    return normals


def _own_normals(points: Array) -> Iterator[tuple[slice, Array]]:
    """Some corners, and the windings (n, 3) of their triangles."""
    for here in parts(len(points) // 3):
        corners = slice(3 * here.start, 3 * here.stop)
        cross = winding(points[corners])
        cross[~np.isfinite(cross).all(axis=1)] = 0  # a corner without a place spoils no neighbour
        yield corners, np.repeat(cross, 3, axis=0)


def _chosen_normals(summed: Array, own: Array) -> Array:
    """A fold so sharp that its sides cancel keeps each side's own normal."""
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    size = np.linalg.norm(own, axis=1, keepdims=True)
    chosen = np.where(length > 1e-3 * size, summed, own)
    return np.asarray(chosen / np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-300))


def parts(triangles: int) -> Iterator[slice]:
    """All triangles, some at a time."""
    for start in range(0, triangles, _AT_ONCE):
        yield slice(start, min(start + _AT_ONCE, triangles))


def winding(points: Array) -> Array:
    """(L, 3) float64: each triangle's normal by its winding times twice its area."""
    corners = points.reshape(-1, 3, 3)
    cross = np.empty((len(corners), 3))
    for here in parts(len(corners)):
        a, b, c = corners[here].astype(np.float64).transpose(1, 0, 2)
        with np.errstate(invalid="ignore", over="ignore"):  # corners that are nowhere
            cross[here] = np.cross(b - a, c - a)
    return cross


def uv_double_areas(uv: Array) -> Array:
    """(L,) float64 signed: twice each triangle's area in UV (3L, 2); negative = mirrored."""
    corners = uv.reshape(-1, 3, 2)
    areas = np.empty(len(corners))
    for here in parts(len(corners)):
        a, b, c = corners[here].astype(np.float64).transpose(1, 0, 2)
        u, v = b - a, c - a
        areas[here] = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return areas
