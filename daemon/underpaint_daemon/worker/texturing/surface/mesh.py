"""The mesh a texture is painted on: triangle corners on a device, and what they tell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Mesh:
    """A triangulated mesh as corner arrays: L triangles, 3L rows, three rows a triangle.

    position (3L, 3) float32 world metres, Z up. normal (3L, 3) float32 world, unit. uv (3L, 2)
    float32, V up; UDIM tile 1001 is [0, 1)². ids (3L, 2) int32: object and material, from 1.
    warnings: what was mended or should be known, in sentences for the artist.
    """

    position: Tensor
    normal: Tensor
    uv: Tensor
    ids: Tensor
    warnings: tuple[str, ...] = ()
    _known: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def triangles(self) -> int:
        return self.position.shape[0] // 3

    @property
    def faces(self) -> Tensor:
        """(L, 3) int64: row numbers of each triangle's corners."""
        return torch.arange(self.position.shape[0], device=self.position.device).reshape(-1, 3)

    @property
    def bounds(self) -> tuple[Tensor, Tensor]:
        """The lowest and highest corner of the bounding box, (3,) each."""
        if "bounds" not in self._known:  # planning cameras asks for them at every direction
            self._known["bounds"] = self.position.amin(0), self.position.amax(0)
        found: tuple[Tensor, Tensor] = self._known["bounds"]
        return found

    @property
    def center(self) -> Tensor:
        """The centre of the bounding box, (3,) metres."""
        low, high = self.bounds
        return (low + high) / 2

    @property
    def radius(self) -> float:
        """The largest distance of a corner from `center`, metres."""
        if "radius" not in self._known:
            self._known["radius"] = float((self.position - self.center).norm(dim=1).amax())
        found: float = self._known["radius"]
        return found

    def to(self, device: torch.device | str) -> Mesh:
        return replace(
            self,
            position=self.position.to(device),
            normal=self.normal.to(device),
            uv=self.uv.to(device),
            ids=self.ids.to(device),
        )

    def warn(self, message: str) -> Mesh:
        return replace(self, warnings=(*self.warnings, message))


def face_cross(mesh: Mesh) -> Tensor:
    """(L, 3) float64: each triangle's winding normal times twice its area."""
    a, b, c = mesh.position.double().reshape(-1, 3, 3).unbind(1)
    cross: Tensor = torch.linalg.cross(b - a, c - a)
    return cross


def face_normals(mesh: Mesh) -> Tensor:
    """(L, 3) float32 unit winding normals."""
    cross = face_cross(mesh)
    normals: Tensor = cross / cross.norm(dim=1, keepdim=True).clamp(min=1e-300)
    return normals.float()


def uv_double_areas(mesh: Mesh) -> Tensor:
    """(L,) float64 signed: twice each triangle's area in UV; negative = mirrored."""
    a, b, c = mesh.uv.double().reshape(-1, 3, 2).unbind(1)
    u, v = b - a, c - a
    area: Tensor = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return area


def is_inside_out(mesh: Mesh) -> bool:
    """True when the mesh is closed and its winding faces inward: inside-out, or a room."""
    cross = face_cross(mesh)
    total = float(cross.norm(dim=1).sum())
    if float(cross.sum(0).norm()) > 0.01 * total:
        return False  # open surfaces have no inside
    a = mesh.position.double().reshape(-1, 3, 3)[:, 0] - mesh.center.double()
    return float((a * cross).sum()) < -1e-6 * total * mesh.radius


def select_triangles(mesh: Mesh, keep: Tensor) -> Mesh:
    """The triangles (L,) bool of a mesh."""
    return _rows(mesh, keep.repeat_interleave(3))


def take_triangles(mesh: Mesh, rows: Tensor) -> Mesh:
    """Triangles (N,) int64 of a mesh, in that order; one may be there several times."""
    return _rows(mesh, (rows[:, None] * 3 + torch.arange(3, device=rows.device)).reshape(-1))


def _rows(mesh: Mesh, rows: Tensor) -> Mesh:
    return replace(
        mesh,
        position=mesh.position[rows],
        normal=mesh.normal[rows],
        uv=mesh.uv[rows],
        ids=mesh.ids[rows],
    )
