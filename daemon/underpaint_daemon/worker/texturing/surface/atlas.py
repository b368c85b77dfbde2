"""The artist's UV layout as texels: where on the surface each texel of each UDIM tile lies."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from .mesh import Mesh, face_cross, take_triangles, uv_double_areas
from .points import SurfacePoints
from .raster import rasterize

FIRST_TILE = 1001
TILES_ACROSS = 10
_NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
_OVER = 1e-4  # of a tile: what lies over its border by less lies in it
_AROUND = [(x, y) for y in range(-2, 3) for x in range(-2, 3) if x or y]
"""Tiles about a triangle's own that it may reach into; one that reaches farther fills its own."""
_FAR = 3.0  # an extrapolated texel farther off than so many texels keeps its neighbour's place


@dataclass(frozen=True, slots=True)
class AtlasTile:
    """The texels of one tile that lie on the surface, N of size².

    number: UDIM number, 1001 for a plain UV map. index (N,) int64: row * size + column, row 0 is
    the top (v = 1). points: their place on the surface (geometric normals). core (N,) bool: the
    texel's centre lies in a UV triangle; the others are the ring of one texel about each island,
    extrapolated, which bilinear lookups at its rim read. pitch (N,) float32: metres a texel
    covers. triangle (N,) int64.
    """

    number: int
    size: int
    index: Tensor
    points: SurfacePoints
    core: Tensor
    pitch: Tensor
    triangle: Tensor

    def image(self, values: Tensor, empty: float = 0.0) -> Tensor:
        """Values (N, C) or (N,) of the texels as an image (size, size, C) or (size, size)."""
        shape = (self.size * self.size, *values.shape[1:])
        flat = torch.full(shape, empty, dtype=values.dtype, device=values.device)
        flat[self.index] = values
        return flat.reshape(self.size, self.size, *values.shape[1:])


def tile_numbers(mesh: Mesh) -> Tensor:
    """(L,) int64 UDIM number of each triangle, by the middle of its UVs.

    UVs outside the UDIM range (negative, or beyond ten columns) repeat tile 1001.
    """
    column, row = _tile_cells(mesh)
    return FIRST_TILE + column + TILES_ACROSS * row


def _tile_cells(mesh: Mesh) -> tuple[Tensor, Tensor]:
    cell = mesh.uv.reshape(-1, 3, 2).mean(1).floor().long()
    udim = (cell >= 0).all(1) & (cell[:, 0] < TILES_ACROSS) & (cell[:, 1] < 100)
    return torch.where(udim, cell[:, 0], 0), torch.where(udim, cell[:, 1], 0)


def tiles(mesh: Mesh) -> list[int]:
    """The UDIM numbers that the mesh uses, ascending."""
    return [int(number) for number in torch.unique(tile_numbers(mesh))]


def build_tile(mesh: Mesh, number: int, size: int) -> AtlasTile:
    """One tile of size × size texels. Where UV triangles overlap the first in the mesh wins; what
    of them reaches over the tile's border comes in again at the other side, behind all others."""
    rows, clip = _uv_clip(mesh, (tile_numbers(mesh) == number).nonzero()[:, 0])
    part = take_triangles(mesh, rows)
    triangle = rasterize(clip, part.faces, (size, size)).triangle
    core = (triangle >= 0).reshape(-1)
    owner, neighbour = _ring(triangle)
    index = torch.cat((core.nonzero()[:, 0], owner))
    source = torch.cat((core.nonzero()[:, 0], neighbour))
    face = triangle.reshape(-1)[source]
    pitch = _pitch(part, size)
    position = _on_triangle(part, clip, face, index, size)
    near = _on_triangle(part, clip, face, source, size)
    astray = (position - near).norm(dim=1) > _FAR * pitch[face]
    position = torch.where(astray[:, None], near, position)
    cross = face_cross(part)
    normal = (cross / cross.norm(dim=1, keepdim=True)).float()[face]
    points = SurfacePoints(position, normal, part.ids[part.faces[face, 0], 0])
    inside = torch.arange(len(index), device=index.device) < int(core.sum())
    return AtlasTile(number, size, index, points, inside, pitch[face], rows[face])


def _uv_clip(mesh: Mesh, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Triangles (L,) of the mesh, and their UVs in a tile as clip-space points (3L, 4) float64: the
    tile is the screen. Those that reach over its border are there several times."""
    uv = mesh.uv.reshape(-1, 3, 2)[rows].double()
    at = uv - uv.mean(1, keepdim=True).floor()
    low, high = at.amin(1) + _OVER, at.amax(1) - _OVER
    crossing = ((low < 0) | (high > 1)).any(1).nonzero()[:, 0]
    which, places = [torch.arange(len(rows), device=rows.device)], [at]
    if len(crossing):
        low, high = low[crossing].floor(), high[crossing].ceil() - 1
        for move in _AROUND:
            shift = at.new_tensor(move)
            here = crossing[((low <= shift) & (shift <= high)).all(1)]
            which.append(here)
            places.append(at[here] - shift)
    flat = torch.cat(places).reshape(-1, 2) * 2 - 1
    clip = torch.cat((flat, torch.zeros_like(flat[:, :1]), torch.ones_like(flat[:, :1])), 1)
    return rows[torch.cat(which)], clip


def _ring(triangle: Tensor) -> tuple[Tensor, Tensor]:
    """Flat indices of the empty texels that touch an island, and of a texel of it that each
    touches (sides before corners)."""
    size = triangle.shape[0]
    used = (triangle >= 0).cpu().numpy().astype(np.uint8)
    grown = cv2.dilate(used, np.ones((3, 3), np.uint8))
    ring = torch.from_numpy(np.flatnonzero(grown > used)).to(triangle.device)
    row, column = ring // size, ring % size
    touched = torch.full_like(ring, -1)
    for down, right in _NEIGHBOURS:
        r, c = (row + down).clamp(0, size - 1), (column + right).clamp(0, size - 1)
        touched = torch.where((touched < 0) & (triangle[r, c] >= 0), r * size + c, touched)
    return ring, touched


def _on_triangle(mesh: Mesh, clip: Tensor, face: Tensor, index: Tensor, size: int) -> Tensor:
    """World positions (N, 3) float32 of texel centres on the (extended) plane of triangles."""
    corners = clip.reshape(-1, 3, 4)[..., :2].float()
    surface = mesh.position.reshape(-1, 3, 3)
    jacobian = _jacobian(corners, surface)[face]
    x = ((index % size) + 0.5) * (2 / size) - 1
    y = 1 - ((index // size) + 0.5) * (2 / size)
    offset = torch.stack((x, y), 1) - corners[face, 0]
    return surface[face, 0] + torch.einsum("nij,nj->ni", jacobian, offset)


def _jacobian(flat: Tensor, surface: Tensor) -> Tensor:
    """(L, 3, 2) float32: metres moved on each triangle for a unit step in its flat layout."""
    u, v = (flat[:, k] - flat[:, 0] for k in (1, 2))
    a, b = (surface[:, k] - surface[:, 0] for k in (1, 2))
    det = (u[:, 0].double() * v[:, 1] - u[:, 1].double() * v[:, 0])[:, None]
    det = torch.where(det.abs() > 1e-20, det, torch.full_like(det, torch.inf))
    along = (a * v[:, 1:] - b * u[:, 1:]) / det
    across = (b * u[:, :1] - a * v[:, :1]) / det
    return torch.stack((along, across), -1).float()


def _pitch(mesh: Mesh, size: int) -> Tensor:
    """(L,) float32: metres that a texel covers on each triangle (root of its area)."""
    uv_area = uv_double_areas(mesh).abs().clamp(min=1e-20) * size * size
    pitch: Tensor = (face_cross(mesh).norm(dim=1) / uv_area).sqrt()
    return pitch.float()
