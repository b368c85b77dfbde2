"""Painting only where the texture is open: the rest stays, and is what the new paint continues.

The open spots are seen from a few cameras framed on them. What stays is kept in the network's own
prediction of the clean picture, as in inpainting; several cameras agree by synchronisation. Each
picture gets back what stays pixel for pixel, and only open texels are gathered from it. Open texels
that no camera sees are filled from the surface around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from underpaint.requests import Method
from underpaint_daemon.common.job_contract import Phase
from underpaint_daemon.worker.pipelines.latents import encode_images

from ..cameras.spots import Spot, best_views, seen_cosine, spot_rig
from ..projection.gather import gather
from ..projection.lookup import textured_view, with_uv
from ..projection.project import Options, Texture, finish, painted_view
from ..projection.tiers import KEPT, UNSEEN, Rule
from ..surface.atlas import AtlasTile
from ..surface.points import SurfacePoints
from ..views.multiview import Rewrite
from ..views.stations import Station
from .existing import Existing
from .painting import Inputs, Painted, Pass, paint, placed, seen_texture, stations_of, synchroniser
from .sequential import best_next

_PAINTED_ALPHA = 0.5
_GROWN_PX = 1


@dataclass(frozen=True, slots=True)
class Keeping:
    """A rewriting hook that lets views change only where they are free. kept: clean latents
    (1, C, h, w) of what is there; free (h, w) bool: the open cells."""

    inner: Rewrite
    kept: Sequence[Tensor]
    free: Sequence[Tensor]

    def __call__(self, clean: list[Tensor], step: int, steps: int) -> list[Tensor]:
        """Clean latents of all views, with what stays put back."""
        rewritten = self.inner(clean, step, steps)
        return [
            torch.where(free, own, kept.to(own))
            for own, kept, free in zip(rewritten, self.kept, self.free, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Scene:
    """A station, what it sees of the existing texture (h, w, 3), and where that is open (h, w)
    bool."""

    station: Station
    seen: Tensor
    open: Tensor

    @property
    def free(self) -> Tensor:
        """(h, w) bool at latent resolution: cells that an open pixel touches."""
        size = self.station.latent.size
        pooled = torch.nn.functional.adaptive_max_pool2d(self.open.float()[None, None], size)
        return pooled[0, 0] > 0


def paint_open(inputs: Inputs, rule: Rule) -> Painted:
    """Paint the open spots of the existing texture."""
    atlas = inputs.atlas()
    alone = inputs.request.method is Method.SINGLE
    count = 1 if alone else inputs.request.view_count
    stations = _stations(inputs, atlas, count) if inputs.spot is None else list(inputs.spot)
    scenes = [_scene(inputs, station) for station in stations]
    pictures = _pictures(inputs, scenes) if scenes else []
    painted = Painted([], stations, pictures)
    return replace(painted, textures=_laid(inputs, atlas, painted, rule, fill=not alone))


def again(inputs: Inputs, rule: Rule) -> Inputs:
    """The inputs of a request that paints one view again: all is locked but what it showed best."""
    number = inputs.request.reroll
    if number is None:
        return inputs
    stations = stations_of(inputs)
    if inputs.request.method is Method.SEQUENTIAL:
        stations = best_next(stations)
    blank = [painted_view(s.buffers, s.buffers.depth.new_zeros((*s.size, 1))) for s in stations]
    opened = dict[int, np.ndarray]()
    for tile in inputs.atlas():
        best = gather(tile.points, tile.pitch, blank, rule, 1).view == number
        opened[tile.number] = tile.image(best.float()).cpu().numpy()
    return replace(inputs, existing=inputs.existing.opened_only(opened), spot=(stations[number],))


def _stations(inputs: Inputs, atlas: Sequence[AtlasTile], count: int) -> list[Station]:
    """The views that see the open surface best: of the given ones, or placed for it."""
    spot = _spot(inputs, atlas)
    if len(spot) == 0:
        return []
    inputs.reporter.progress(Phase.ENCODING, 0, 1)
    stations = _seeing(inputs, spot, count)
    if not stations:
        inputs.reporter.warn(
            "No view sees what is to be painted; it is filled from the surface around it. Paint a "
            "larger mask, or hide what covers the spot."
        )
    return stations


def _seeing(inputs: Inputs, spot: Spot, count: int) -> list[Station]:
    if inputs.request.views:
        given = inputs.preparer.captured(inputs.request.views)
        cosines = [seen_cosine(inputs.mesh, spot.points, s.buffers.camera) for s in given]
        return [given[i] for i in best_views(cosines, spot.area, count)]
    return placed(inputs, spot_rig(inputs.mesh, spot, count, inputs.side))


def _spot(inputs: Inputs, atlas: Sequence[AtlasTile]) -> Spot:
    points, pitch = list[SurfacePoints](), list[Tensor]()
    for tile in atlas:
        opened = (_open_texels(inputs.existing, tile) & tile.core).nonzero()[:, 0]
        points.append(tile.points.select(opened))
        pitch.append(tile.pitch[opened])
    names = ("position", "normal", "object_id")
    both = (torch.cat([getattr(part, name) for part in points]) for name in names)
    return Spot.of(SurfacePoints(*both), torch.cat(pitch))


def _open_texels(existing: Existing, tile: AtlasTile) -> Tensor:
    """(N,) bool: a tile's texels that may be painted."""
    own = existing.tile(tile.number)
    if own is None:
        return torch.ones(len(tile.points), dtype=torch.bool, device=tile.index.device)
    openness = torch.from_numpy(own.openness).to(tile.index.device)
    return openness.reshape(-1)[tile.index] > 0


def _scene(inputs: Inputs, station: Station) -> Scene:
    device = inputs.mesh.position.device
    seen, alpha = seen_texture(inputs, station, [t.texture(device) for t in inputs.existing.tiles])
    view = with_uv(inputs.mesh, station.buffers)
    opening = [t.opening(device) for t in inputs.existing.tiles]
    opened = textured_view(inputs.mesh, view, opening)[..., 0] > 0
    bare = alpha < _PAINTED_ALPHA
    marked = ((opened | bare) & view.mask).float()[None, None]
    grown = torch.nn.functional.max_pool2d(marked, 2 * _GROWN_PX + 1, 1, _GROWN_PX)
    return Scene(station, seen, grown[0, 0] > 0)


def _pictures(inputs: Inputs, scenes: Sequence[Scene]) -> list[Tensor]:
    """What the views show once their open parts are painted, (h, w, 3)."""
    stations = [scene.station for scene in scenes]
    vae, strength = inputs.model.vae, inputs.request.strength
    kept = [
        encode_images(vae, s.seen.permute(2, 0, 1)[None].cpu()).to(s.seen.device) for s in scenes
    ]
    hook = Keeping(synchroniser(inputs, stations), kept, [scene.free for scene in scenes])
    start = [scene.seen for scene in scenes] if strength < 1 else None
    pictures = paint(inputs, Pass(stations, hook, strength, start))
    return [
        torch.where(scene.open[..., None], picture, scene.seen)
        for scene, picture in zip(scenes, pictures, strict=True)
    ]


def _laid(
    inputs: Inputs, atlas: Sequence[AtlasTile], painted: Painted, rule: Rule, *, fill: bool
) -> list[Texture]:
    """The pictures on the open texels; what stays is a source for those that no view sees."""
    inputs.reporter.raise_if_cancelled()
    inputs.reporter.progress(Phase.PROJECTING, 0, 1)
    views, parts = painted.views(), []
    for tile in atlas:
        part = gather(tile.points, tile.pitch, views, rule, 3)
        if (own := inputs.existing.tile(tile.number)) is not None:
            stays = ~_open_texels(inputs.existing, tile)
            base = torch.tensor(own.base).to(part.color).reshape(-1, 4)[tile.index] / 255
            part.color[stays] = base[stays, :3]
            known = base[:, 3] >= _PAINTED_ALPHA
            part.tier[stays] = torch.where(known, KEPT, UNSEEN)[stays].to(part.tier)
            part.view[stays] = -1
        parts.append(part)
        inputs.reporter.raise_if_cancelled()
    textures = finish(inputs.mesh, atlas, parts, Options(inputs.request.size, rule, None, fill))
    inputs.reporter.progress(Phase.PROJECTING, 1, 1)
    return textures
