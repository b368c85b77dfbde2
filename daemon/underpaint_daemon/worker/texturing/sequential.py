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

from ..pipelines.latents import encode_images
from .background import Background, make_background
from .gather import PaintedView
from .project import Options, Texture, project
from .render import ViewBuffers
from .stations import Station
from .visibility import SurfacePoints, ViewGeometry, look
from .work import Painted, Pass, Work, paint, seen_texture, stations_of

_BETTER = 0.2
_REFINE = 0.4
_GROWN_CELLS = 1
_VISIBLE_ERROR = 1.0


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


def paint_sequential(work: Work) -> Painted:
    """The method; its textures are finished, its pictures are what each view painted."""
    stations = _best_next(stations_of(work))
    background = make_background(work.model, len(stations), work.request.sampling.seed)
    steps = work.request.sampling.steps
    done: list[Station] = []
    pictures: list[Tensor] = []
    for i, station in enumerate(stations):
        hook = None if i == 0 else _keeping(work, station, done, pictures, background)
        rewrite = hook or _fresh(station, background, work)
        plan = Pass([station], rewrite, done=i * steps, total=len(stations) * steps)
        pictures.append(paint(work, plan)[0])
        done.append(station)
    return Painted([], done, pictures)


def _fresh(station: Station, background: Background, work: Work) -> KeepPainted:
    height, width = station.latent.size
    nothing = torch.zeros((1, 1, height, width), device=work.mesh.position.device)
    everywhere = torch.ones((height, width), device=nothing.device)
    mask, until = station.object_mask, work.schedule.colours_until
    return KeepPainted(nothing, everywhere, mask, background, until)


def _keeping(
    work: Work,
    station: Station,
    done: Sequence[Station],
    pictures: Sequence[Tensor],
    background: Background,
) -> KeepPainted:
    """What is already on the surface, seen from the next view, and how far it may change."""
    textures = _partial(work, Painted([], done, pictures).views())
    seen, alpha = seen_texture(work, station, textures)
    painted = encode_images(work.model.vae, seen.permute(2, 0, 1)[None].float().cpu())
    freedom = _freedom(station, done, alpha)
    device = work.mesh.position.device
    until = work.schedule.colours_until
    return KeepPainted(painted.to(device), freedom, station.object_mask, background, until)


def _partial(work: Work, views: Sequence[PaintedView]) -> list[tuple[int, Tensor]]:
    """The texture so far as RGBA; alpha 0 where no view has painted."""
    options = Options(size=work.request.size, anchor=None, fill=False)
    return [(t.number, _rgba(t).to(work.mesh.position.device)) for t in project(
        work.mesh, views, options, work.reporter.checkpoint)]  # fmt: skip


def _rgba(texture: Texture) -> Tensor:
    colour = torch.from_numpy(texture.color[..., :3])
    alpha = torch.from_numpy(texture.tier > 0).to(colour)[..., None]
    return torch.cat((colour, alpha), -1)


def _freedom(station: Station, done: Sequence[Station], alpha: Tensor) -> Tensor:
    """(h, w) at latent resolution: 1 bare, `_REFINE` seen much better from here, 0 kept."""
    size = station.latent.size
    bare = torch.nn.functional.adaptive_max_pool2d((1 - alpha)[None, None], size) > 0.5
    grown = torch.nn.functional.max_pool2d(
        bare.float(), 2 * _GROWN_CELLS + 1, stride=1, padding=_GROWN_CELLS
    )[0, 0]
    view = station.latent
    pixels, points = _surface(view)
    best = torch.zeros(len(pixels), device=pixels.device)
    for other in done:
        best = torch.maximum(best, _facing(points, other))
    better = torch.zeros(view.mask.numel(), device=pixels.device)
    better[pixels] = (_facing(points, station) > best + _BETTER).float()
    return torch.maximum((grown > 0).float(), _REFINE * better.reshape(size))


def _surface(view: ViewBuffers) -> tuple[Tensor, SurfacePoints]:
    """Flat numbers (N,) of a view's surface pixels, and the points they show."""
    pixels = view.mask.reshape(-1).nonzero()[:, 0]
    return pixels, SurfacePoints(
        view.position.reshape(-1, 3)[pixels],
        view.normal.reshape(-1, 3)[pixels],
        view.object_id.reshape(-1)[pixels],
    )


def _facing(points: SurfacePoints, station: Station) -> Tensor:
    """(N,) the cosine at which a station sees each point; 0 where it does not."""
    sight = look(points, ViewGeometry.of(station.latent))
    visible = sight.error < _VISIBLE_ERROR
    cosine = torch.zeros(len(points), device=points.position.device)
    cosine[sight.index[visible]] = sight.cosine[visible]
    return cosine


def _best_next(stations: Sequence[Station]) -> list[Station]:
    """The first view, then always the one that shows most surface better than those before."""
    left, order = list(stations[1:]), [stations[0]]
    while left:
        gains = [_gain(station, order) for station in left]
        order.append(left.pop(max(range(len(left)), key=lambda i: gains[i])))
    return order


def _gain(station: Station, before: Sequence[Station]) -> float:
    view = station.latent
    pixels, points = _surface(view)
    best = torch.zeros(len(pixels), device=pixels.device)
    for other in before:
        best = torch.maximum(best, _facing(points, other))
    return float((_facing(points, station) - best).clamp(min=0).sum())
