"""The surface that is to be painted, as small triangles that are seen or not. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # its module needs Blender, what is done here does not
    from ..texture.scene_mesh import ReadObject

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_FEWEST = 6000
"""Large triangles are cut until there are about so many."""
_MOST_CUTS = 5
_FINEST = 192  # cells along the longest way through it


@dataclass(frozen=True, slots=True)
class Surface:
    """World space, metres. `vertices` (V, 3) and `triangles` (L, 3) are what hides; `corners`
    (n, 3, 3) are the same triangles, large ones cut; of each its `middle` (n, 3), unit `normal`
    (n, 3) by its winding and `area` (n,)."""

    vertices: Floats
    triangles: Ints
    corners: Floats
    middle: Floats
    normal: Floats
    area: Floats

    @property
    def centre(self) -> Floats:
        """(3,) of the bounding box."""
        box: Floats = (self.vertices.min(0) + self.vertices.max(0)) / 2
        return box

    @property
    def radius(self) -> float:
        """The largest distance of a vertex from the centre."""
        return float(np.linalg.norm(self.vertices - self.centre, axis=1).max())


def surface_of(objects: Sequence[ReadObject]) -> Surface:
    """Objects as one surface. In any thread."""
    vertices, triangles, before = list[Floats](), list[Ints](), 0
    for item in objects:
        mesh, world = item.mesh, item.to_world
        places = mesh.position.astype(np.float64) @ world[:3, :3].T + world[:3, 3]
        rows = mesh.vertex[mesh.corner].astype(np.int64).reshape(-1, 3)
        # A mirrored object would turn its triangles inside out.
        rows = rows[:, ::-1] if np.linalg.det(world[:3, :3]) < 0 else rows
        vertices.append(places)
        triangles.append(rows + before)
        before += len(places)
    points, faces = np.concatenate(vertices), np.concatenate(triangles)
    corners = cut(points[faces])
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(cross, axis=1)
    normal = cross / length[:, None].clip(1e-300)
    return Surface(points, faces, corners, corners.mean(1), normal, length / 2)


def cut(corners: Floats) -> Floats:
    """Triangles (L, 3, 3) with each that is larger than its share of `_FEWEST` in fours, and those
    again."""
    whole = float(_areas(corners).sum())
    for _ in range(_MOST_CUTS):
        large = _areas(corners) > whole / _FEWEST * 2
        if not large.any():
            break
        a, b, c = corners[large].transpose(1, 0, 2)
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        fours = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
        corners = np.concatenate([corners[~large], *(np.stack(four, 1) for four in fours)])
    return corners


def _areas(corners: Floats) -> Any:
    a, b, c = corners.transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def hiding(surface: Surface, most: int) -> tuple[Floats, Ints, float]:
    """What hides, in at most about `most` triangles: vertices (V, 3), triangles (L, 3), and how far
    it may lie off the surface, metres. A mesh that has more is taken by a grid's cells: what is
    smaller than a cell hides nothing."""
    vertices, triangles, off = surface.vertices, surface.triangles, 0.0
    low, size = vertices.min(0), max(2 * surface.radius, 1e-9)
    cells = _FINEST
    while len(triangles) > most and cells > 1:
        vertices, triangles = _by_cells(surface, low, size / cells)
        off, cells = size / cells, cells * 3 // 4
    return vertices, triangles, off


def _by_cells(surface: Surface, low: Floats, cell: float) -> tuple[Floats, Ints]:
    """The vertices of each cell as one, and what is still a triangle."""
    place = ((surface.vertices - low) / cell).astype(np.int64)
    _, which = np.unique(
        (place[:, 0] << 40) + (place[:, 1] << 20) + place[:, 2], return_inverse=True
    )
    count = np.bincount(which)
    middle = np.stack([np.bincount(which, axis) / count for axis in surface.vertices.T], 1)
    rows = which[surface.triangles]
    a, b, c = rows.T
    rows = rows[(a != b) & (b != c) & (c != a)]
    ordered = np.sort(rows, axis=1)
    _, first = np.unique(ordered @ np.array([1 << 40, 1 << 20, 1]), return_index=True)
    return middle, rows[first]
