"""Tangent frames of texels, as renderers build them: normal maps are read in these.

The corner tangents are those of MikkTSpace (Mikkelsen 2008), which Blender, glTF viewers and game
engines share: along u, averaged by angle over the corners that agree in place, normal, UV and
handedness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from underpaint_daemon.common.meshes.normals import weld

from ..surface.atlas import AtlasTile
from ..surface.mesh import Mesh, uv_double_areas


@dataclass(frozen=True, slots=True)
class Frames:
    """Unit vectors (N, 3) float32, world space: tangent along u, bitangent along v, normal."""

    tangent: Tensor
    bitangent: Tensor
    normal: Tensor

    def to_tangent(self, world: Tensor) -> Tensor:
        """World vectors (N, 3) in these frames, unit length."""
        parts = [(world * axis).sum(1) for axis in (self.tangent, self.bitangent, self.normal)]
        return torch.nn.functional.normalize(torch.stack(parts, 1), dim=1)

    def to_world(self, tangent: Tensor) -> Tensor:
        """The other way."""
        world = self.tangent * tangent[:, :1] + self.bitangent * tangent[:, 1:2]
        return torch.nn.functional.normalize(world + self.normal * tangent[:, 2:], dim=1)


def texel_frames(mesh: Mesh, tile: AtlasTile) -> Frames:
    """The frames at a tile's texels, with the mesh's shading normals."""
    weights = texel_weights(mesh, tile)
    corners = mesh.faces[tile.triangle]
    unit = torch.nn.functional.normalize
    normal = unit(torch.einsum("nk,nkc->nc", weights, mesh.normal[corners]), dim=1)
    along = torch.einsum("nk,nkc->nc", weights, corner_tangents(mesh)[corners])
    tangent = unit(along - normal * (along * normal).sum(1, keepdim=True), dim=1)
    side = uv_double_areas(mesh)[tile.triangle].sign().float()
    bitangent = torch.linalg.cross(normal, tangent) * torch.where(side < 0, -1.0, 1.0)[:, None]
    return Frames(tangent, bitangent, normal)


def texel_weights(mesh: Mesh, tile: AtlasTile) -> Tensor:
    """(N, 3) float32: how much each corner of its triangle counts at a texel's centre."""
    column, row = tile.index % tile.size, tile.index // tile.size
    at = torch.stack([(column + 0.5) / tile.size, 1 - (row + 0.5) / tile.size], 1).double()
    uv = mesh.uv.double().reshape(-1, 3, 2)[tile.triangle]
    # Each face is measured from its own cell: those outside the tiles repeat the first.
    a, b, c = (uv - uv.mean(1).floor()[:, None]).unbind(1)
    u, v, w = b - a, c - a, at.to(uv) - a
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    area = torch.where(area.abs() > 1e-20, area, torch.full_like(area, torch.inf))
    second = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / area
    third = (u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0]) / area
    weights = torch.stack([1 - second - third, second, third], 1).clamp(min=0)
    return (weights / weights.sum(1, keepdim=True)).float()


def corner_tangents(mesh: Mesh) -> Tensor:
    """(3L, 3) float32 unit tangents of the corners."""
    place = mesh.position.double().reshape(-1, 3, 3)
    uv = mesh.uv.double().reshape(-1, 3, 2)
    e, f = place[:, 1] - place[:, 0], place[:, 2] - place[:, 0]
    s, t = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    side = (s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sign()
    along = (e * t[:, 1:] - f * s[:, 1:]) * side[:, None]
    tangent = along[:, None].expand(-1, 3, -1).reshape(-1, 3)
    normal = mesh.normal.double()
    flat = _unit(tangent - normal * (tangent * normal).sum(1, keepdim=True))
    weighted = flat * _angles(place, normal)[:, None]
    group = _same_corner(mesh, side.repeat_interleave(3))
    summed = torch.zeros((int(group.max()) + 1, 3), dtype=torch.float64, device=group.device)
    summed.index_add_(0, group, weighted)
    return _unit(summed[group]).float()


def _angles(place: Tensor, normal: Tensor) -> Tensor:
    """(3L,) angle of each corner, seen along its normal."""
    normals = normal.reshape(-1, 3, 3)
    found = []
    for k in range(3):
        edges = [place[:, (k + i) % 3] - place[:, k] for i in (1, 2)]
        flat = [e - normals[:, k] * (e * normals[:, k]).sum(1, keepdim=True) for e in edges]
        cosine = (_unit(flat[0]) * _unit(flat[1])).sum(1)
        found.append(cosine.clamp(-1, 1).arccos())
    return torch.stack(found, 1).reshape(-1)


def _same_corner(mesh: Mesh, side: Tensor) -> Tensor:
    """(3L,) int64: equal numbers for corners that share place, normal, UV and handedness."""
    uv = np.concatenate([mesh.uv.cpu().numpy(), side[:, None].cpu().numpy()], 1)
    group = np.zeros(len(uv), np.int64)
    for values in (mesh.position.cpu().numpy(), mesh.normal.cpu().numpy(), uv):
        number = weld(values)
        group = np.unique(group * (int(number.max()) + 1) + number, return_inverse=True)[1]
    return torch.from_numpy(group.reshape(-1)).to(mesh.position.device)


def _unit(vectors: Tensor) -> Tensor:
    unit: Tensor = vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1e-20)
    return unit
