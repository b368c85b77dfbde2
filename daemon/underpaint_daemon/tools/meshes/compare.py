"""What a written mesh has kept of the one it was made from: measured by reading it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .files import GLTF, MeshFile, open_mesh
from .origin import whole
from .polygons import Polygons
from .turns import to_y_up
from .wear import Wear

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """Triangles before and after, and the largest differences of a corner's coordinates; None
    where the numbers of triangles differ."""

    faces_in: int
    faces_out: int
    max_position_delta: float | None
    max_uv_delta: float | None

    def worse_than(self, other: Kept) -> bool:
        """Whether more was lost than of another."""
        return self._loss > other._loss

    @property
    def _loss(self) -> float:
        if self.max_position_delta is None or self.max_uv_delta is None:
            return float("inf")
        return self.max_position_delta + self.max_uv_delta

    @property
    def measures(self) -> dict[str, Any]:
        """For the report."""
        return {
            "faces_in": self.faces_in,
            "faces_out": self.faces_out,
            "max_position_delta": self.max_position_delta,
            "max_uv_delta": self.max_uv_delta,
        }


def kept(file: MeshFile, worn: Wear, out: Path) -> Kept:
    """Compare a written .obj or .glb with what it was written from. Raises RequestError."""
    made = worn.made.repeat(3)
    position, uv = file.polygons.corner_positions, file.polygons.corner_uvs
    if uv is None:
        uv = np.full((len(position), 2), np.nan, np.float32)
    uv[made] = worn.made_uv[made]
    if out.suffix.lower() in GLTF and file.gltf is None:
        position = to_y_up(position, file.up)
    again = open_mesh(out, file.up).polygons
    origin = np.array([file.polygons.origin])
    if out.suffix.lower() in GLTF and file.gltf is None:
        origin = to_y_up(origin, file.up)
    x, y, z = origin[0].tolist()
    return _compared(whole(position, (x, y, z)), uv, again)


def _compared(position: Array, uv: Array, again: Polygons) -> Kept:
    before, after = len(position) // 3, len(again.triangle_parts)
    if before != after:
        return Kept(before, after, None, None)
    other = again.corner_uvs
    if other is None:
        other = np.full((len(position), 2), np.nan, np.float32)
    position, places = map(_somewhere, (position, whole(again.corner_positions, again.origin)))
    here, there = _order(position, uv), _order(places, other)
    moved = _apart(position.reshape(-1, 9)[here], places.reshape(-1, 9)[there])
    slid = _apart(uv.reshape(-1, 6)[here], other.reshape(-1, 6)[there])
    return Kept(before, after, moved, slid)


def _somewhere(places: Array) -> Array:
    """Corners that are nowhere are NaN, whatever they were: a node's matrix makes them that."""
    return np.where(np.isfinite(places).all(axis=1, keepdims=True), places, np.nan)


def _apart(one: Array, other: Array) -> float:
    """The largest difference of two tables; what is NaN or infinite in both is the same."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(one - other))
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0))


def _order(position: Array, uv: Array) -> Array:
    """(L,): triangles by their corners' places, those in one place by their UVs: a file may group
    them otherwise."""
    near = np.nan_to_num(uv).reshape(-1, 6).round(4)
    keys = [*near.T[::-1], *position.reshape(-1, 9).T[::-1]]
    return np.asarray(np.lexsort(keys))
