"""A mesh as a file holds it: polygons over tables of positions, UVs and normals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint_daemon.common.meshes.corners import require_count, weld

from .triangulate import triangulate

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Polygons:
    """P polygons with C corners in all, in the file's own axes.

    position (V, 3) float32, from `origin`. uv (T, 2) float32, V up. normal (N, 3) float32. corner
    (C, 3) int32: rows of position, UV and normal; -1 = none. sizes (P,) int32: corners a polygon.
    part (P, 2) int32: object and material, from 1. names, materials: theirs, by number. told: what
    a reader should know of what was read. up: the axis that the file itself says is up, if it
    does. twin (3L,) int64: the corner, among those of the triangles, whose paint each wears, where
    a mesh without UVs is there several times; None = each its own. origin: where the file has it,
    far from its own (see `origin`).
    """

    position: Array
    uv: Array
    normal: Array
    corner: Array
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
        return triangulate(self.position, self.corner[:, 0], self.sizes)

    @property
    def corner_positions(self) -> Array:
        """(3L, 3) float32."""
        return np.asarray(self.position[self.corner[self.triangles[0], 0]])

    @property
    def corner_places(self) -> Array:
        """(3L,) int32: numbers that are equal where positions are."""
        place = weld(self.position).astype(np.int32)
        return np.asarray(place[self.corner[self.triangles[0], 0]])

    @property
    def corner_uvs(self) -> Array | None:
        """(3L, 2) float32, NaN where a corner has none; None when none has any."""
        return _rows(self.uv, self.corner[self.triangles[0], 1])

    @property
    def corner_normals(self) -> Array | None:
        """(3L, 3) float32, NaN where a corner has none; None when none has any."""
        return _rows(self.normal, self.corner[self.triangles[0], 2])

    @property
    def corner_parts(self) -> Array:
        """(3L, 2) int32: object and material."""
        return np.repeat(self.part[self.triangles[1]], 3, axis=0)


def _rows(table: Array, rows: Array) -> Array | None:
    if (rows < 0).all():
        return None
    found = table[rows]
    found[rows < 0] = np.nan
    return found


def require_rows(rows: Array, count: int, name: str) -> None:
    """Raise ValueError when a row (-1 = none) is not of a table with `count` rows."""
    if len(rows) and (rows.min() < -1 or rows.max() >= count):
        wrong = int(rows.max()) + 1 if rows.max() >= count else int(rows.min())
        raise ValueError(f"a face names {name} {wrong} of {count}")
