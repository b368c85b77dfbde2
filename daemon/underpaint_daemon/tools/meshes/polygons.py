"""A mesh as a file holds it: polygons over tables of positions, UVs and normals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint_daemon.common.meshes.corners import require_count
from underpaint_daemon.common.meshes.normals import weld

from .triangulate import triangulate

Array = npt.NDArray[Any]
_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Polygons:
    """P polygons with C corners in all, in the file's own axes.

    position (V, 3) float32, from `origin`. uv (T, 2) float32, V up. normal (N, 3) float32. corner,
    three of (C,) int32: rows of position, UV and normal; -1 = none. sizes (P,) int32: corners a
    polygon. part (P, 2) int32: object and material, from 1. Arrays may be shared, and read-only
    (see `alike`). names, materials: theirs, by number. told: what
    a reader should know of what was read. up: the axis that the file itself says is up, if it
    does. twin (3L,) int64: the corner, among those of the triangles, whose paint each wears, where
    a mesh without UVs is there several times; None = each its own. origin: where the file has it,
    far from its own (see `origin`).
    """

    position: Array
    uv: Array
    normal: Array
    corner: tuple[Array, Array, Array]
    sizes: Array
    part: Array
    names: Mapping[int, str] = field(default_factory=dict)
    materials: Mapping[int, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    up: str | None = None
    twin: Array | None = None
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @cached_property
    def triangles(self) -> tuple[Array, Array]:
        """Corners (3L,) of the triangles that the polygons are cut into, and the polygon of each
        (L,)."""
        require_count(int(self.sizes.sum()) - 2 * len(self.sizes))
        return triangulate(self.position, self.corner[0], self.sizes)

    @cached_property
    def _all_triangles(self) -> bool:
        return bool((self.sizes == 3).all())

    def rows(self, which: int) -> Array:
        """(3L,) int32: of the corners of the triangles, the rows of position, UV or normal (0 to
        2)."""
        if self._all_triangles:  # no numbers of corners are needed that count from 0 to the last
            require_count(len(self.sizes))
            return self.corner[which]
        return np.asarray(self.corner[which][self.triangles[0]])

    @property
    def corner_positions(self) -> Array:
        """(3L, 3) float32."""
        return taken(self.position, self.rows(0))

    @property
    def places(self) -> tuple[Array, Array]:
        """(V,) int32: numbers that are equal where positions are; and the positions' rows (3L,) of
        the corners."""
        return weld(self.position).astype(np.int32), self.rows(0)

    @property
    def corner_uvs(self) -> Array | None:
        """(3L, 2) float32, NaN where a corner has none; None when none has any."""
        return self.by_corner(self.uv, 1)

    @property
    def corner_normals(self) -> Array | None:
        """(3L, 3) float32, NaN where a corner has none; None when none has any."""
        return self.by_corner(self.normal, 2)

    def by_corner(self, table: Array, which: int) -> Array | None:
        """A table of positions, UVs or normals (0 to 2) by the corners (3L, …) of triangles, NaN
        where one has none; None when none has any."""
        rows = self.rows(which)
        none = rows < 0
        if none.all():
            return None
        found = taken(table, rows)
        found[none] = np.nan
        return found

    @property
    def corner_parts(self) -> Array:
        """(3L, 2) int32: object and material."""
        part = self.triangle_parts
        if len(part) and not part.strides[0]:
            return np.broadcast_to(part[0], (3 * len(part), 2))
        return np.repeat(part, 3, axis=0)

    @property
    def triangle_parts(self) -> Array:
        """(L, 2) int32: object and material."""
        if self._all_triangles:
            return self.part
        owner = self.triangles[1]
        if not self.part.strides[0]:
            return np.broadcast_to(self.part[0], (len(owner), 2))
        return np.asarray(self.part[owner])


def alike(rows: Array) -> Array:
    """Rows (n, …) that are all the same as views of one of them, read-only; others as they are."""
    if len(rows) < 2 or (rows != rows[0]).any():
        return rows
    return np.broadcast_to(rows[0].copy(), rows.shape)


def none_of(corners: int) -> Array:
    """(C,) int32: a column of `Polygons.corner` that no corner has."""
    return np.broadcast_to(np.int32(-1), (corners,))


def taken(table: Array, rows: Array) -> Array:
    """The rows of a table; indexing all at once takes eight bytes more for each."""
    found = np.empty((len(rows), *table.shape[1:]), table.dtype)
    for at in range(0, len(rows), _AT_ONCE):
        found[at : at + _AT_ONCE] = table[rows[at : at + _AT_ONCE]]
    return found


def require_rows(rows: Array, count: int, name: str) -> None:
    """Raise ValueError when a row (-1 = none) is not of a table with `count` rows."""
    if len(rows) and (rows.min() < -1 or rows.max() >= count):
        wrong = int(rows.max()) + 1 if rows.max() >= count else int(rows.min())
        raise ValueError(f"a face names {name} {wrong} of {count}")
