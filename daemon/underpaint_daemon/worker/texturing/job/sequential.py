"""One view after another, each continuing what the views before it painted.

The next view is the one that adds most. What it sees is told apart: bare surface is painted anew,
surface it sees much better than any view before is repainted softly, the rest is kept. Keeping is
done in the network's own prediction of the clean picture, so any sampler will do. Method: after
TEXTure (SIGGRAPH 2023); soft masks after Differential Diffusion (Levin & Fried 2023): a spot is
let go at the step that its weight says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint_daemon.worker.pipelines.latents import encode_images

from ..cameras.render import ViewBuffers
from ..cameras.visibility import ViewGeometry, look, pixel_footprint
from ..projection.gather import PaintedView, gather
from ..projection.project import painted_view
from ..projection.tiers import GENERATED
from ..surface.points import SurfacePoints
from ..views.background import Background, make_background
from ..views.stations import Station
from .painting import Inputs, Painted, Pass, paint, stations_of

_BETTER = 0.2
_REFINE = 0.4
_GROWN_CELLS = 1
_VISIBLE_ERROR = 1.0
_GREY = 0.5


@dataclass(frozen=True, slots=True)
class KeepPainted:
    """The rewriting hook of one view. painted (1, C, h, w): clean latents of what is there.
    freedom (h, w): 1 paint anew, 0 keep; between, free in that last part of the steps."""

    painted: Tensor
    freedom: Tensor
    mask: Tensor
    background: Background
    colours_until: float

    def __call__(self, clean: list[Tensor], step: int, steps: int) -> list[Tensor]:
        free = self.freedom >= 1 - step / steps
        mixed = torch.where(free, clean[0], self.painted.to(clean[0]))
        part = step / steps
        return [self.background.behind(mixed, self.mask, 0, part, self.colours_until)]


def paint_sequential(inputs: Inputs, total: int) -> Painted:
    """What each view painted, in the order in which they were; not yet projected. total:
    view-steps of the job."""
    stations = best_next(stations_of(inputs))
    background = make_background(inputs.model, len(stations), inputs.request.sampling.seed)
    steps = inputs.sampling.steps
    done: list[PaintedView] = []
    pictures: list[Tensor] = []
    for i, station in enumerate(stations):
        rewrite = (
            _keeping(inputs, station, done, background)
            if done
            else _fresh(station, background, inputs)
        )
        plan = Pass([station], rewrite, done=i * steps, total=total)
        pictures.append(paint(inputs, plan)[0])
        done.append(painted_view(station.buffers, pictures[-1]))
    return Painted([], stations, pictures)


def _fresh(station: Station, background: Background, inputs: Inputs) -> KeepPainted:
    height, width = station.latent.size
    nothing = torch.zeros((1, 1, height, width), device=inputs.mesh.position.device)
    everywhere = torch.ones((height, width), device=nothing.device)
    mask, until = station.object_mask, inputs.schedule.colours_until
    return KeepPainted(nothing, everywhere, mask, background, until)


def _keeping(
    inputs: Inputs, station: Station, done: Sequence[PaintedView], background: Background
) -> KeepPainted:
    """What is already on the surface, seen from the next view, and how far it may change."""
    seen, painted = _shown(station, done)
    clean = encode_images(inputs.model.vae, seen.permute(2, 0, 1)[None].cpu())
    freedom = _freedom(station, done, painted)
    until = inputs.schedule.colours_until
    return KeepPainted(clean.to(seen.device), freedom, station.object_mask, background, until)


def _shown(station: Station, done: Sequence[PaintedView]) -> tuple[Tensor, Tensor]:
    """What the views so far show of a station's surface: picture (h, w, 3) over grey, and where
    they show anything (h, w) bool. Gathered pixel by pixel, without a texture in between."""
    view = station.buffers
    pixels, points = _surface(view)
    footprint = pixel_footprint(view.camera, view.depth.reshape(-1)[pixels])
    found = gather(points, footprint, done, GENERATED, 3)
    picture = torch.full((view.mask.numel(), 3), _GREY, device=view.mask.device)
    known = found.tier > 0
    picture[pixels[known]] = found.color[known]
    painted = torch.zeros(view.mask.numel(), dtype=torch.bool, device=view.mask.device)
    painted[pixels[known]] = True
    return picture.reshape(*view.size, 3), painted.reshape(view.size)


def _freedom(station: Station, done: Sequence[PaintedView], painted: Tensor) -> Tensor:
    """(h, w) at latent resolution: 1 bare, `_REFINE` seen much better from here, 0 kept."""
    size = station.latent.size
    bare = torch.nn.functional.adaptive_max_pool2d((~painted).float()[None, None], size)
    grown = torch.nn.functional.max_pool2d(
        bare, 2 * _GROWN_CELLS + 1, stride=1, padding=_GROWN_CELLS
    )[0, 0]
    view = station.latent
    pixels, points = _surface(view)
    best = torch.zeros(len(pixels), device=pixels.device)
    for other in done:
        best = torch.maximum(best, _facing(points, other.geometry))
    better = torch.zeros(view.mask.numel(), device=pixels.device)
    better[pixels] = (_facing(points, ViewGeometry.of(station.latent)) > best + _BETTER).float()
    return torch.maximum((grown > 0).float(), _REFINE * better.reshape(size))


def _surface(view: ViewBuffers) -> tuple[Tensor, SurfacePoints]:
    """Flat numbers (N,) of a view's surface pixels, and the points they show."""
    pixels = view.mask.reshape(-1).nonzero()[:, 0]
    return pixels, SurfacePoints(
        view.position.reshape(-1, 3)[pixels],
        view.normal.reshape(-1, 3)[pixels],
        view.object_id.reshape(-1)[pixels],
    )


def _facing(points: SurfacePoints, view: ViewGeometry) -> Tensor:
    """(N,) the cosine at which a view sees each point; 0 where it does not."""
    sight = look(points, view)
    visible = sight.error < _VISIBLE_ERROR
    cosine = torch.zeros(len(points), device=points.position.device)
    cosine[sight.index[visible]] = sight.cosine[visible]
    return cosine


def best_next(stations: Sequence[Station]) -> list[Station]:
    """The first view, then always the one that shows most surface better than those before."""
    geometry = [ViewGeometry.of(station.latent) for station in stations]
    points = [_surface(station.latent)[1] for station in stations]
    best = [_facing(own, geometry[0]) for own in points]
    left, order = list(range(1, len(stations))), [0]
    while left:
        gains = [
            float((_facing(points[i], geometry[i]) - best[i]).clamp(min=0).sum()) for i in left
        ]
        chosen = left.pop(max(range(len(left)), key=lambda k: gains[k]))
        order.append(chosen)
        for i in left:
            best[i] = torch.maximum(best[i], _facing(points[i], geometry[chosen]))
    return [stations[i] for i in order]
