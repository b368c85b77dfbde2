"""A texture made symmetric about a plane, where the mesh is.

Each texel is looked up at its mirrored place on the surface. Of the two the one that was seen
better wins, softly, so that both sides come out the same and neither is blurred by the other.
Texels without a counterpart on the surface, and those that are locked, stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from underpaint.requests import Mirror

from ..cameras.visibility import sample
from ..surface.atlas import AtlasTile
from ..surface.mesh import Mesh
from ..surface.points import SurfacePoints
from .gutter import renewed
from .project import Texture
from .tiers import FILLED, KEPT, UNSEEN

Array = npt.NDArray[Any]
_NEAR = 2.0  # texels between a mirrored place and the surface
_FACING = 0.5
_TURNING = 2.0  # texels that facing the other way counts for
_SHARPNESS = 4.0


def mirrored_points(points: SurfacePoints, mirror: Mirror) -> SurfacePoints:
    """Surface points reflected in the plane."""
    position = points.position
    point = torch.tensor(mirror.point).to(position)
    normal = torch.nn.functional.normalize(torch.tensor(mirror.normal).to(position), dim=0)
    away = ((position - point) @ normal)[:, None]
    turned = (points.normal @ normal)[:, None]
    return SurfacePoints(
        position - 2 * away * normal, points.normal - 2 * turned * normal, points.object_id
    )


@dataclass(frozen=True, slots=True)
class _Partners:
    """For M texels of one tile: their rows, and the tile, pixel and texel of their partners."""

    rows: Tensor
    tile: Tensor
    pixel: Tensor
    texel: Tensor


def made_symmetric(
    mesh: Mesh, atlas: Sequence[AtlasTile], textures: Sequence[Texture], mirror: Mirror
) -> tuple[list[Texture], float]:
    """Symmetric textures, and the fraction of texels that have a counterpart."""
    surface = _Surface(mesh, atlas)
    result, found, count = [], 0, 0
    for tile, texture in zip(atlas, textures, strict=True):
        partners = surface.partners(tile, mirrored_points(tile.points, mirror))
        result.append(_merged(tile, texture, partners, textures))
        found, count = found + len(partners.rows), count + len(tile.points)
    return result, found / max(1, count)


class _Surface:
    """The texels of all tiles by place and direction."""

    def __init__(self, mesh: Mesh, atlas: Sequence[AtlasTile]) -> None:
        self._mesh = mesh
        self._atlas = atlas
        cores = [tile.core.nonzero()[:, 0] for tile in atlas]
        self._tile = torch.cat([torch.full_like(core, i) for i, core in enumerate(cores)])
        self._row = torch.cat(cores)
        self._triangle = torch.cat([t.triangle[c] for t, c in zip(atlas, cores, strict=True)])
        self._pitch = float(torch.cat([tile.pitch for tile in atlas]).median())
        self._normal = torch.cat([t.points.normal[c] for t, c in zip(atlas, cores, strict=True)])
        position = torch.cat([t.points.position[c] for t, c in zip(atlas, cores, strict=True)])
        self._tree = cKDTree(self._spread(position, self._normal), balanced_tree=False)

    def _spread(self, position: Tensor, normal: Tensor) -> Array:
        wide = torch.cat((position, normal * (_TURNING * self._pitch)), 1)
        return np.asarray(wide.cpu().numpy())

    def partners(self, tile: AtlasTile, mirrored: SurfacePoints) -> _Partners:
        """Where on the surface mirrored points are; those that are off it have no partner."""
        _, nearest = self._tree.query(self._spread(mirrored.position, mirrored.normal))
        index = torch.from_numpy(nearest).to(self._row)
        triangle = self._triangle[index]
        place, weights = _on_triangles(self._mesh, triangle, mirrored.position)
        near = (place - mirrored.position).norm(dim=1) < _NEAR * torch.maximum(
            tile.pitch, torch.full_like(tile.pitch, self._pitch)
        )
        alike = (self._normal[index] * mirrored.normal).sum(1) > _FACING
        rows = (near & alike).nonzero()[:, 0]
        corners = self._mesh.faces[triangle[rows]]
        uv = torch.einsum("nk,nkc->nc", weights[rows].to(self._mesh.uv), self._mesh.uv[corners])
        uv = uv - uv.floor()
        pixel = torch.stack((uv[:, 0], 1 - uv[:, 1]), 1) * tile.size
        which = self._tile[index[rows]]
        cell = pixel.long().clamp(0, tile.size - 1)
        return _Partners(rows, which, pixel, cell[:, 1] * tile.size + cell[:, 0])


def _on_triangles(mesh: Mesh, triangle: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Places (N, 3) on triangles nearest to points, within their plane's slightly widened
    triangle, and their barycentric weights (N, 3)."""
    a, b, c = mesh.position.double().reshape(-1, 3, 3)[triangle].unbind(1)
    u, v, w = b - a, c - a, points.double() - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    det = (uu * vv - uv * uv).clamp(min=1e-300)
    second, third = (vv * wu - uv * wv) / det, (uu * wv - uv * wu) / det
    weights = torch.stack((1 - second - third, second, third), 1).clamp(0, 1)
    weights = weights / weights.sum(1, keepdim=True)
    place = weights[:, :1] * a + weights[:, 1:2] * b + weights[:, 2:] * c
    return place.to(points), weights


def _merged(
    tile: AtlasTile, texture: Texture, partners: _Partners, textures: Sequence[Texture]
) -> Texture:
    """A tile whose texels share colours with their partners'."""
    own = torch.from_numpy(texture.color).reshape(-1, texture.color.shape[2])
    index = tile.index.cpu()[partners.rows.cpu()]
    trust, tier = _trust(texture), torch.from_numpy(texture.tier).reshape(-1)[index]
    other, known = torch.zeros((len(index), own.shape[1])), torch.zeros(len(index))
    for number, theirs in enumerate(textures):
        here = (partners.tile == number).cpu()
        picture = torch.from_numpy(theirs.color).permute(2, 0, 1)[None].contiguous()
        other[here] = sample(picture, partners.pixel.cpu()[here]).T
        known[here] = _trust(theirs)[partners.texel.cpu()[here]]
    ours = trust[index]
    share = ours**_SHARPNESS / (ours**_SHARPNESS + known**_SHARPNESS).clamp(min=1e-30)
    share = torch.where((tier == KEPT) | (known == 0), 1.0, share)[:, None]
    color = own.clone()
    color[index] = own[index] * share + other * (1 - share)
    image: Array = color.reshape(texture.color.shape).numpy()
    return replace(texture, color=renewed(image, texture.tier))


def _trust(texture: Texture) -> Tensor:
    """(size²,) how well each texel was seen: by tier first, then by weight; 0 = not at all, or
    not to be copied because it stays."""
    tier = torch.from_numpy(texture.tier).reshape(-1).long()
    weight = torch.from_numpy(texture.weight).reshape(-1)
    better = 10.0 ** (1 - tier.clamp(1, FILLED).float())
    trust = better * (0.05 + weight / (1 + weight))
    return torch.where((tier == UNSEEN) | (tier == KEPT), 0.0, trust)
