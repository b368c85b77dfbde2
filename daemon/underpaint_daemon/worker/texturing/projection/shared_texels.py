"""Texels that several triangles share, as on a crate whose six sides wear one picture: where no
view sees the side that comes first, they get what the views see of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..surface.atlas import AtlasTile, build_tile, tile_numbers
from ..surface.mesh import Mesh, select_triangles, uv_double_areas
from ..surface.points import SurfacePoints
from .gather import Gathered, PaintedView, gather
from .tiers import UNSEEN, Rule

_ROUNDS = 8
_FEW = 0.01  # of a tile's texels, unseen: not worth a look at other owners
_MORE = 1.02  # areas of the UV triangles over that of the texels they cover: they overlap


def with_other_owners(
    mesh: Mesh, tile: AtlasTile, part: Gathered, views: Sequence[PaintedView], rule: Rule
) -> AtlasTile:
    """The tile, in which shared texels that were unseen lie where a view sees them; `part` gets
    their paint. Where no UVs overlap, the tile as it is."""
    used = tile_numbers(mesh) == tile.number
    area = float(uv_double_areas(mesh)[used].abs().sum()) / 2 * tile.size**2
    if area < _MORE * float(tile.core.sum()):
        return tile
    tried = ~used
    for _ in range(_ROUNDS):
        unseen = ((part.tier == UNSEEN) & tile.core).nonzero()[:, 0]
        if len(unseen) <= _FEW * len(tile.index):
            break
        tried[tile.triangle[unseen]] = True
        left = (~tried).nonzero()[:, 0]
        if len(left) == 0:
            break
        other = build_tile(select_triangles(mesh, ~tried), tile.number, tile.size)
        here, there = _both(tile, unseen, other)
        if len(here) == 0:
            break
        found = gather(
            other.points.select(there), other.pitch[there], views, rule, part.color.shape[1]
        )
        tried[left[other.triangle[there]]] = True
        seen = (found.tier != UNSEEN).nonzero()[:, 0]
        tile = _moved(tile, here[seen], other, there[seen], left)
        for name in ("color", "weight", "tier", "view"):
            getattr(part, name)[here[seen]] = getattr(found, name)[seen]
    return tile


def _both(tile: AtlasTile, rows: Tensor, other: AtlasTile) -> tuple[Tensor, Tensor]:
    """Of those rows of a tile, the ones that another has too, and their rows there."""
    where = torch.full((tile.size**2,), -1, dtype=torch.int64, device=rows.device)
    core = other.core.nonzero()[:, 0]
    where[other.index[core]] = core
    there = where[tile.index[rows]]
    return rows[there >= 0], there[there >= 0]


def _moved(
    tile: AtlasTile, rows: Tensor, other: AtlasTile, there: Tensor, triangles: Tensor
) -> AtlasTile:
    """The tile with those rows where the other has them. triangles: the mesh's, of the other's."""

    def mixed(own: Tensor, others: Tensor) -> Tensor:
        result = own.clone()
        result[rows] = others[there]
        return result

    points = SurfacePoints(
        mixed(tile.points.position, other.points.position),
        mixed(tile.points.normal, other.points.normal),
        mixed(tile.points.object_id, other.points.object_id),
    )
    triangle = mixed(tile.triangle, triangles[other.triangle])
    return replace(tile, points=points, pitch=mixed(tile.pitch, other.pitch), triangle=triangle)
