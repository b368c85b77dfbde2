"""Polygons cut into triangles that cover them: fans where they are convex, or seen whole from one
of their corners; ears, one after another, where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_FAN_LIMIT = 64  # corners up to which every corner is tried as a fan's centre


def triangulate(position: Array, vertex: Array, sizes: Array) -> tuple[Array, Array]:
    """Corner numbers (3L,) of the triangles of polygons, and the polygon of each triangle (L,).

    position (V, 3); vertex (C,) rows of it, polygon after polygon; sizes (P,) of at least 3. A
    polygon of n corners gives n - 2 triangles with its winding, in the polygons' order.
    """
    sizes = sizes.astype(np.int64)
    first = np.cumsum(sizes) - sizes
    counts = sizes - 2
    owner = np.repeat(np.arange(len(sizes)), counts)
    local = _fan_of(owner, counts)
    before = np.cumsum(counts) - counts
    for size in np.unique(sizes[sizes > 3]):
        which = np.flatnonzero(sizes == size)
        corners = first[which, None] + np.arange(size)
        points = position[vertex[corners]].astype(np.float64)
        turn = _fan_turns(points) if size <= _FAN_LIMIT else _first_or_none(points)
        rows = before[which, None] + np.arange(size - 2)
        local[rows] = (local[rows] + turn[:, None, None].clip(0)) % size
        for i in np.flatnonzero(turn < 0):
            local[rows[i]] = clip_ears(points[i])
    return (first[owner][:, None] + local).reshape(-1), owner


def _fan_of(owner: Array, counts: Array) -> Array:
    """(L, 3): corners, within each polygon, of the fan from its first."""
    step = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([np.zeros_like(step), step + 1, step + 2], axis=1)


def _normals(points: Array) -> Array:
    """(n, 3): the normals of polygons (n, k, 3), by Newell."""
    return np.asarray(np.cross(points, np.roll(points, -1, axis=1)).sum(axis=1))


def _fan_turns(points: Array) -> Array:
    """(n,): the first corner from which a fan covers the polygon and nothing else; -1 = none."""
    points = points - points.mean(axis=1, keepdims=True)
    normal = _normals(points)
    turn = np.full(len(points), -1)
    for start in range(points.shape[1]):
        open_ = np.flatnonzero(turn < 0)
        if len(open_) == 0:
            break
        fan = np.roll(points[open_], -start, axis=1)
        a, b = fan[:, 1:-1] - fan[:, :1], fan[:, 2:] - fan[:, :1]
        along = np.einsum("nkc,nc->nk", np.cross(a, b), normal[open_])
        floor = -1e-9 * np.abs(along).max(axis=1, keepdims=True)
        good = (along >= floor).all(axis=1) | (np.abs(normal[open_]).sum(axis=1) == 0)
        turn[open_[good]] = start
    return turn


def _first_or_none(points: Array) -> Array:
    """(n,): 0 where a polygon is convex, -1 where it is not."""
    normal = _normals(points - points.mean(axis=1, keepdims=True))
    edge = np.roll(points, -1, axis=1) - points
    bend = np.cross(edge, np.roll(edge, -1, axis=1))
    along = np.einsum("nkc,nc->nk", bend, normal)
    return np.where((along >= 0).all(axis=1), 0, -1)


def clip_ears(points: Array) -> Array:
    """Triangles (n - 2, 3) of one polygon (n, 3) of any shape that does not cross itself; of one
    that does, as good as can be."""
    flat = _flat(points)
    left, found = list(range(len(flat))), list[tuple[int, int, int]]()
    while len(left) > 3:
        at = _ear(flat[left])
        found.append((left[at - 1], left[at], left[(at + 1) % len(left)]))
        del left[at]
    found.append((left[0], left[1], left[2]))
    return np.array(found)


def _flat(points: Array) -> Array:
    """A polygon (n, 3) in its own plane, (n, 2), counter-clockwise."""
    normal = _normals(points[None] - points.mean(axis=0))[0]
    axis = int(np.abs(normal).argmax())
    columns = [(1, 2), (2, 0), (0, 1)][axis]
    flat = points[:, columns] - points[:, columns].mean(axis=0)
    return np.asarray(flat * ([1, 1] if normal[axis] >= 0 else [-1, 1]))


def _ear(flat: Array) -> int:
    """The corner of a polygon (n, 2) to cut off: the first that bends inward with no other corner
    in its triangle; failing that, the one that does least harm."""
    before, after = np.roll(flat, 1, axis=0), np.roll(flat, -1, axis=0)
    area = _cross(flat - before, after - flat)
    reflex = np.flatnonzero(area <= 0)
    for at in np.flatnonzero(area > 0):
        others = flat[reflex]
        inside = np.ones(len(reflex), bool)
        corners = (before[at], flat[at], after[at])
        for k in range(3):
            start, end = corners[k], corners[(k + 1) % 3]
            inside &= _cross(end - start, others - start) >= 0
        # A corner that only touches the ear's own corners does not lie in it.
        for corner in corners:
            inside &= (others != corner).any(axis=1)
        if not inside.any():
            return int(at)
    return int(np.abs(area).argmin())


def _cross(a: Array, b: Array) -> Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
