"""Polygons cut into triangles that cover them: fans where they are convex, or seen whole from one
of their corners; ears, one after another, where they are not."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_CORNERS_AT_ONCE = 1 << 15
_FAN_LIMIT = 64  # corners up to which every corner is tried as a fan's centre


def triangulate(position: Array, vertex: Array, sizes: Array) -> tuple[Array, Array]:
    """Corner numbers (3L,) int32 of the triangles of polygons, and the polygon of each triangle
    (L,) int32.

    position (V, 3); vertex (C,) rows of it, polygon after polygon; sizes (P,) of at least 3. A
    polygon of n corners gives n - 2 triangles with its winding, in the polygons' order.
    """
    sizes = sizes.astype(np.int32)
    if (sizes == 3).all():
        return np.arange(3 * len(sizes), dtype=np.int32), np.arange(len(sizes), dtype=np.int32)
    first = np.cumsum(sizes, dtype=np.int32) - sizes
    counts = sizes - 2
    owner = np.repeat(np.arange(len(sizes), dtype=np.int32), counts)
    before = np.cumsum(counts, dtype=np.int32) - counts
    local = _fan_of(owner, before)
    for size in np.unique(sizes[sizes > 3]):
        every = np.flatnonzero(sizes == size)
        step = max(1, _CORNERS_AT_ONCE // int(size))
        for which in (every[at : at + step] for at in range(0, len(every), step)):
            corners = first[which, None] + np.arange(size)
            points = position[vertex[corners]].astype(np.float64)
            points[~np.isfinite(points)] = 0  # what is nowhere is not painted, however it is cut
            turn = _fan_turns(points) if size <= _FAN_LIMIT else _first_or_none(points)
            rows = before[which, None] + np.arange(size - 2)
            local[rows] = (local[rows] + turn[:, None, None].clip(0)) % size
            for i in np.flatnonzero(turn < 0):
                local[rows[i]] = clip_ears(points[i])
    local += first[owner][:, None]
    return local.reshape(-1), owner


def _fan_of(owner: Array, before: Array) -> Array:
    """(L, 3) int32: corners, within each polygon, of the fan from its first; before (P,): the
    triangles of those before it."""
    fan = np.zeros((len(owner), 3), np.int32)
    fan[:, 1] = np.arange(1, len(owner) + 1, dtype=np.int32) - before[owner]
    fan[:, 2] = fan[:, 1] + 1
    return fan


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
    return np.array(_Ring(_flat(points)).clipped())


def _flat(points: Array) -> Array:
    """A polygon (n, 3) in its own plane, (n, 2), counter-clockwise."""
    normal = _normals(points[None] - points.mean(axis=0))[0]
    axis = int(np.abs(normal).argmax())
    columns = [(1, 2), (2, 0), (0, 1)][axis]
    flat = points[:, columns] - points[:, columns].mean(axis=0)
    return np.asarray(flat * ([1, 1] if normal[axis] >= 0 else [-1, 1]))


class _Ring:
    """The corners of a polygon (n, 2) that are left while its ears are cut off, one after another.

    A cut changes its two neighbours alone: whether any other corner is an ear stays as it was
    (Meisters, "Polygons have ears", 1975), so each is looked at about three times.
    """

    _STALE = 64  # cuts after which those that have gone are taken off the list of reflex corners

    def __init__(self, flat: Array) -> None:
        count = len(flat)
        self._flat, self._count = flat, count
        self._before = np.roll(np.arange(count), 1).tolist()
        self._after = np.roll(np.arange(count), -1).tolist()
        self._area = _cross(flat - np.roll(flat, 1, axis=0), np.roll(flat, -1, axis=0) - flat)
        self._alive = np.ones(count, bool)
        self._cuts: list[tuple[int, int, int]] = []
        self._watch()

    def clipped(self) -> list[tuple[int, int, int]]:
        """The triangles, n - 2."""
        waiting, looked = deque(range(self._count)), self._count
        while (left := self._count - len(self._cuts)) > 3:
            if waiting:
                at = waiting.popleft()
                if self._alive[at] and self._is_ear(at):
                    waiting += self._cut(at)
            elif left < 0.8 * looked:  # corners in one place can break the rule above
                waiting, looked = deque(np.flatnonzero(self._alive).tolist()), left
            else:
                waiting += self._cut(self._least())
        last = np.flatnonzero(self._alive).tolist()
        return [*self._cuts, (last[0], last[1], last[2])]

    def _cut(self, at: int) -> tuple[int, int]:
        """Cut a corner off; its neighbours."""
        before, after = self._before[at], self._after[at]
        self._cuts.append((before, at, after))
        self._alive[at] = False
        self._after[before], self._before[after] = after, before
        for corner in (before, after):
            a, b, c = self._flat[[self._before[corner], corner, self._after[corner]]]
            self._area[corner] = _cross(b - a, c - b)
        if len(self._cuts) % self._STALE == 0:
            self._watch()
        return before, after

    def _watch(self) -> None:
        reflex = np.flatnonzero(self._alive & (self._area <= 0))
        self._reflex = reflex[np.argsort(self._flat[reflex, 0])]
        self._across = self._flat[self._reflex, 0]

    def _least(self) -> int:
        """The corner that does least harm."""
        left = np.flatnonzero(self._alive)
        return int(left[np.abs(self._area[left]).argmin()])

    def _is_ear(self, at: int) -> bool:
        """Whether a corner bends inward with no other corner in its triangle."""
        if self._area[at] <= 0:
            return False
        corners = self._flat[[self._before[at], at, self._after[at]]]
        low, high = corners[:, 0].min(), corners[:, 0].max()
        first, last = (
            np.searchsorted(self._across, low),
            np.searchsorted(self._across, high, "right"),
        )
        found = self._reflex[first:last]
        found = found[self._alive[found] & (self._area[found] <= 0)]
        for k in range(3):
            start, end = corners[k], corners[(k + 1) % 3]
            found = found[_cross(end - start, self._flat[found] - start) >= 0]
        # A corner that only touches the ear's own corners does not lie in it.
        apart = (self._flat[found][:, None] != corners).any(axis=2).all(axis=1)
        return not apart.any()


def _cross(a: Array, b: Array) -> Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
