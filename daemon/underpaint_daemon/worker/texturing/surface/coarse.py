"""A mesh with fewer triangles that looks the same from afar, for planning: where cameras stand."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .mesh import Mesh, face_cross, select_triangles

_MANY = 60_000
_CELLS = 160


def coarse(mesh: Mesh, many: int = _MANY, cells: int = _CELLS) -> Mesh:
    """The mesh itself up to `many` triangles; of more, one whose corners in a cell of a grid,
    `cells` along the mesh's longest side, are one point, their mean.

    Method: vertex clustering (Rossignac and Borrel 1993). Normals, UVs and ids stay the corners'.
    """
    if mesh.triangles <= many:
        return mesh
    cell = _cells(mesh, cells)
    count = torch.bincount(cell, minlength=cells**3).clamp(min=1)
    low = mesh.bounds[0]
    means = [
        low[axis] + torch.bincount(cell, mesh.position[:, axis] - low[axis], cells**3) / count
        for axis in range(3)
    ]
    a, b, c = cell.reshape(-1, 3).unbind(1)
    apart = (a != b) & (b != c) & (c != a)
    rows = cell[apart.repeat_interleave(3)]
    position = torch.stack([mean[rows] for mean in means], 1).to(mesh.position)
    merged = replace(select_triangles(mesh, apart), position=position)
    solid = face_cross(merged).norm(dim=1) > 0
    return select_triangles(merged, solid) if bool(solid.any()) else mesh


def _cells(mesh: Mesh, cells: int) -> Tensor:
    """(3L,) int64: the number of the grid cell that each corner lies in."""
    low, high = mesh.bounds
    scale = cells / float((high - low).max())
    at = ((mesh.position - low) * scale).long().clamp(0, cells - 1)
    number: Tensor = (at[:, 0] * cells + at[:, 1]) * cells + at[:, 2]
    return number
