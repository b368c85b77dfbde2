"""Views onto a texture: harmonise, gather, fill, gutter; every texel knows where it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..cameras.render import ViewBuffers
from ..cameras.visibility import ViewGeometry
from ..surface.atlas import AtlasTile, build_tile, tiles
from ..surface.directions import Directions
from ..surface.membrane import thinned_evenly
from ..surface.mesh import Mesh
from ..surface.sampling import sample_surface
from .fill import Sources, fill
from .gather import Gathered, PaintedView, gather
from .gutter import dilate
from .harmonise import harmonise, observe
from .shared_texels import with_other_owners
from .tiers import FILLED, GENERATED, GUTTER, UNSEEN, Rule

Array = npt.NDArray[Any]
_SAMPLES = 20_000
_SOURCES_FAR = 60_000
_SOURCES_NEAR = 400_000
_NEAR_TEXELS = 5


@dataclass(frozen=True, slots=True)
class Texture:
    """One tile of paint, (size, size) texels, row 0 the top (v = 1).

    color (size, size, C) float32. tier (size, size) uint8: 0 nothing, 1..3 seen (1 best), 4 took
    the pixel beside, 5 filled, 6 gutter (see `tiers`). view (size, size) int16: the view that
    weighs most, -1 = none. weight (size, size) float32.
    """

    number: int
    color: Array
    tier: Array
    view: Array
    weight: Array

    @property
    def size(self) -> int:
        return int(self.color.shape[0])


@dataclass(frozen=True, slots=True)
class Options:
    """How to project. size: texels a side of a tile. rule: `tiers.GENERATED` or `tiers.EXACT`.
    anchor: the view whose exposure stands; None leaves every view's exposure alone. fill: paint
    unseen texels and the gutter. gutter: texels, None for the whole tile."""

    size: int = 1024
    rule: Rule = GENERATED
    anchor: int | None = 0
    fill: bool = True
    gutter: int | None = None


def painted_view(view: ViewBuffers, image: Tensor) -> PaintedView:
    """A view's geometry with its picture (h, w, C) float32; the picture may be larger."""
    return painted_as(ViewGeometry.of(view), image)


def painted_as(geometry: ViewGeometry, image: Tensor) -> PaintedView:
    """The same of a geometry that is there already."""
    return PaintedView(geometry, image.permute(2, 0, 1)[None].contiguous().float())


def project(
    mesh: Mesh,
    views: Sequence[PaintedView],
    options: Options,
    tick: Callable[[], None] | None = None,
    atlas: Sequence[AtlasTile] | None = None,
) -> list[Texture]:
    """Paint every tile of a mesh from views (at least one). Deterministic.

    tick: called after each tile; it may raise to stop. atlas: the mesh's tiles of that size, where
    they are there already.
    """
    if options.anchor is not None and len(views) > 1:
        points = sample_surface(mesh, _SAMPLES).points
        seen = observe(points, views, options.rule, broadly=True)
        views = harmonise(views, seen, options.anchor)
    if atlas is None:
        atlas = [build_tile(mesh, number, options.size) for number in tiles(mesh)]
    channels = views[0].image.shape[1]
    placed, parts = list[AtlasTile](), list[Gathered]()
    for tile in atlas:
        part = gather(tile.points, tile.pitch, views, options.rule, channels)
        placed.append(with_other_owners(mesh, tile, part, views, options.rule))
        parts.append(part)
        if tick:
            tick()
    return finish(mesh, placed, parts, options)


def finish(
    mesh: Mesh, atlas: Sequence[AtlasTile], parts: Sequence[Gathered], options: Options
) -> list[Texture]:
    """Fill what no view saw and paint the gutters."""
    if options.fill and any(bool((part.tier == UNSEEN).any()) for part in parts):
        facing = Directions(mesh)
        far = _joined([_sources(tile, part, facing, _SOURCES_FAR // len(atlas)) for tile, part in
                       zip(atlas, parts, strict=True)])  # fmt: skip
        for tile, part in zip(atlas, parts, strict=True):
            _fill_tile(tile, part, facing, far)
    return [_texture(tile, part, options) for tile, part in zip(atlas, parts, strict=True)]


def _joined(sources: Sequence[Sources]) -> Sources:
    result = sources[0]
    for other in sources[1:]:
        result = result.joined(other)
    return result


def _sources(
    tile: AtlasTile, part: Gathered, facing: Directions, count: int, rows: Tensor | None = None
) -> Sources:
    """Painted texels of a tile, thinned to `count`."""
    chosen = (part.tier > 0).nonzero()[:, 0] if rows is None else rows
    kept = torch.from_numpy(thinned_evenly(len(chosen), max(1, count))).to(chosen.device)
    return Sources(*_places(tile, facing, chosen[kept]), part.color[chosen[kept]].cpu().numpy())


def _places(tile: AtlasTile, facing: Directions, rows: Tensor) -> tuple[Array, Array]:
    """Positions and smoothed directions (n, 3) of a tile's texels."""
    position = tile.points.position[rows]
    return position.cpu().numpy(), facing.at(tile.triangle[rows], position).cpu().numpy()


def _fill_tile(tile: AtlasTile, part: Gathered, facing: Directions, far: Sources) -> None:
    unseen = (part.tier == UNSEEN).nonzero()[:, 0]
    if len(unseen) == 0:
        return
    # Beside a thin sample of everything, all painted texels close to bare ones: across a seam
    # those are the ones along the islands' rims.
    near = _sources(tile, part, facing, _SOURCES_NEAR, _beside_unseen(tile, part))
    fallback = far.color.mean(0) if len(far.color) else np.full(part.color.shape[1], 0.5)
    color = fill(*_places(tile, facing, unseen), near.joined(far), fallback)
    part.color[unseen] = torch.from_numpy(color).to(part.color)
    part.tier[unseen] = FILLED


def _beside_unseen(tile: AtlasTile, part: Gathered) -> Tensor:
    """Rows of the painted texels within a few texels of one that is not painted."""
    bare = 1 - tile.image((part.tier > 0).to(torch.uint8)).cpu().numpy()
    kernel = np.ones((2 * _NEAR_TEXELS + 1, 2 * _NEAR_TEXELS + 1), np.uint8)
    grown = torch.from_numpy(cv2.dilate(bare, kernel)).to(part.tier.device).reshape(-1)
    return ((part.tier > 0) & (grown[tile.index] > 0)).nonzero()[:, 0]


def _texture(tile: AtlasTile, part: Gathered, options: Options) -> Texture:
    color = tile.image(part.color).cpu().numpy()
    tier = tile.image(part.tier).cpu().numpy()
    if options.fill:
        color, given = dilate(color, tier > 0, options.gutter)
        tier[given] = GUTTER
    return Texture(
        tile.number,
        color,
        tier,
        tile.image(part.view, -1).cpu().numpy(),
        tile.image(part.weight).cpu().numpy(),
    )
