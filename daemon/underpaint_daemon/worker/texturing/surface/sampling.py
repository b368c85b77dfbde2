"""Points spread evenly over a mesh's surface."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .mesh import Mesh, face_cross, face_normals
from .points import SurfacePoints


@dataclass(frozen=True, slots=True)
class SurfaceSamples:
    """Points spread over the surface: position, normal (N, 3), object_id (N,), area (N,)."""

    position: Tensor
    normal: Tensor
    object_id: Tensor
    area: Tensor

    @property
    def points(self) -> SurfacePoints:
        return SurfacePoints(self.position, self.normal, self.object_id)


def sample_surface(mesh: Mesh, count: int, seed: int = 0) -> SurfaceSamples:
    """About `count` points, spread by area (stratified, seeded on the CPU); `area` sums to that
    of the mesh."""
    area = face_cross(mesh).norm(dim=1).cpu() / 2
    generator = torch.Generator().manual_seed(seed)
    steps = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    ends = area.cumsum(0)
    triangle = torch.searchsorted(ends, steps.double() * ends[-1]).clamp(max=len(area) - 1)
    u, v = torch.rand(2, count, generator=generator)
    root = u.sqrt()
    weights = torch.stack([1 - root, root * (1 - v), root * v], 1).to(mesh.position.device)
    triangle = triangle.to(mesh.position.device)
    corners = mesh.faces[triangle]
    share = torch.full((count,), float(ends[-1]) / count, device=mesh.position.device)
    return SurfaceSamples(
        torch.einsum("pk,pkc->pc", weights, mesh.position[corners]),
        face_normals(mesh)[triangle],
        mesh.ids[corners[:, 0], 0],
        share,
    )
