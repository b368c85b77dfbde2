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
from .existing import Present
from .painting import Painted, Pass, Work, paint, placed, seen_texture, stations_of, synchroniser
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
    """A station, what it sees of the present texture (h, w, 3), and where that is open (h, w)
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


def paint_open(work: Work, rule: Rule) -> Painted:
    """Paint the open spots of the present texture."""
    atlas = work.atlas()
    alone = work.request.method is Method.SINGLE
    count = 1 if alone else work.request.view_count
    stations = _stations(work, atlas, count) if work.spot is None else list(work.spot)
    scenes = [_scene(work, station) for station in stations]
    pictures = _pictures(work, scenes) if scenes else []
    painted = Painted([], stations, pictures)
    return replace(painted, textures=_laid(work, atlas, painted, rule, fill=not alone))


def again(work: Work, rule: Rule) -> Work:
    """The work of a request that paints one view again: all is locked but what it showed best."""
    number = work.request.reroll
    if number is None:
        return work
    stations = stations_of(work)
    if work.request.method is Method.SEQUENTIAL:
        stations = best_next(stations)
    blank = [painted_view(s.buffers, s.buffers.depth.new_zeros((*s.size, 1))) for s in stations]
    opened = dict[int, np.ndarray]()
    for tile in work.atlas():
        best = gather(tile.points, tile.pitch, blank, rule, 1).view == number
        opened[tile.number] = tile.image(best.float()).cpu().numpy()
    return replace(work, present=work.present.opened_only(opened), spot=(stations[number],))


def _stations(work: Work, atlas: Sequence[AtlasTile], count: int) -> list[Station]:
    """The views that see the open surface best: of the given ones, or placed for it."""
    spot = _spot(work, atlas)
    if len(spot) == 0:
        return []
    work.reporter.progress(Phase.ENCODING, 0, 1)
    stations = _seeing(work, spot, count)
    if not stations:
        work.reporter.warn(
            "No view sees what is to be painted; it is filled from the surface around it. Paint a "
            "larger mask, or hide what covers the spot."
        )
    return stations


def _seeing(work: Work, spot: Spot, count: int) -> list[Station]:
    if work.request.views:
        given = work.preparer.captured(work.request.views)
        cosines = [seen_cosine(work.mesh, spot.points, s.buffers.camera) for s in given]
        return [given[i] for i in best_views(cosines, spot.area, count)]
    return placed(work, spot_rig(work.mesh, spot, count, work.side))


def _spot(work: Work, atlas: Sequence[AtlasTile]) -> Spot:
    points, pitch = list[SurfacePoints](), list[Tensor]()
    for tile in atlas:
        opened = (_open_texels(work.present, tile) & tile.core).nonzero()[:, 0]
        points.append(tile.points.select(opened))
        pitch.append(tile.pitch[opened])
    names = ("position", "normal", "object_id")
    both = (torch.cat([getattr(part, name) for part in points]) for name in names)
    return Spot.of(SurfacePoints(*both), torch.cat(pitch))


def _open_texels(present: Present, tile: AtlasTile) -> Tensor:
    """(N,) bool: a tile's texels that may be painted."""
    own = present.tile(tile.number)
    if own is None:
        return torch.ones(len(tile.points), dtype=torch.bool, device=tile.index.device)
    openness = torch.from_numpy(own.openness).to(tile.index.device)
    return openness.reshape(-1)[tile.index] > 0


def _scene(work: Work, station: Station) -> Scene:
    device = work.mesh.position.device
    seen, alpha = seen_texture(work, station, [t.texture(device) for t in work.present.tiles])
    view = with_uv(work.mesh, station.buffers)
    opening = [t.opening(device) for t in work.present.tiles]
    opened = textured_view(work.mesh, view, opening)[..., 0] > 0
    bare = alpha < _PAINTED_ALPHA
    marked = ((opened | bare) & view.mask).float()[None, None]
    grown = torch.nn.functional.max_pool2d(marked, 2 * _GROWN_PX + 1, 1, _GROWN_PX)
    return Scene(station, seen, grown[0, 0] > 0)


def _pictures(work: Work, scenes: Sequence[Scene]) -> list[Tensor]:
    """What the views show once their open parts are painted, (h, w, 3)."""
    stations = [scene.station for scene in scenes]
    vae, strength = work.model.vae, work.request.strength
    kept = [encode_images(vae, s.seen.permute(2, 0, 1)[None].cpu()) for s in scenes]
    hook = Keeping(synchroniser(work, stations), kept, [scene.free for scene in scenes])
    start = [scene.seen for scene in scenes] if strength < 1 else None
    pictures = paint(work, Pass(stations, hook, strength, start))
    return [
        torch.where(scene.open[..., None], picture, scene.seen)
        for scene, picture in zip(scenes, pictures, strict=True)
    ]


def _laid(
    work: Work, atlas: Sequence[AtlasTile], painted: Painted, rule: Rule, *, fill: bool
) -> list[Texture]:
    """The pictures on the open texels; what stays is a source for those that no view sees."""
    work.reporter.checkpoint()
    work.reporter.progress(Phase.PROJECTING, 0, 1)
    views, parts = painted.views(), []
    for tile in atlas:
        part = gather(tile.points, tile.pitch, views, rule, 3)
        if (own := work.present.tile(tile.number)) is not None:
            stays = ~_open_texels(work.present, tile)
            base = torch.tensor(own.base).to(part.color).reshape(-1, 4)[tile.index] / 255
            part.color[stays] = base[stays, :3]
            known = base[:, 3] >= _PAINTED_ALPHA
            part.tier[stays] = torch.where(known, KEPT, UNSEEN)[stays].to(part.tier)
            part.view[stays] = -1
        parts.append(part)
        work.reporter.checkpoint()
    textures = finish(work.mesh, atlas, parts, Options(work.request.size, rule, None, fill))
    work.reporter.progress(Phase.PROJECTING, 1, 1)
    return textures
