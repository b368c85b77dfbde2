"""The methods that paint a texture; all end in the same projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from underpaint.requests import Method

from ..job import Phase
from ..pipelines.denoise import active_steps, changes_nothing
from .atlas import FIRST_TILE
from .grid import STRENGTH, grid_pictures
from .project import Options, Texture, project
from .sequential import paint_sequential
from .stations import Station
from .tiers import GENERATED
from .work import Painted, Pass, Work, paint, seen_texture, stations_of, synchroniser

# Views that agree need less blending: a steep weight keeps the detail of the squarest view. On
# spot, ten views of 256 px: sharpness 0.80 at 4, 0.92 at 8, of the views' own.
_RULE = replace(GENERATED, alpha=8.0)


def paint_sync(work: Work) -> Painted:
    """All views denoise together and agree at every step; from `base` below full strength."""
    return _together(work, stations_of(work))


def paint_single(work: Work) -> Painted:
    """One view alone, onto what it sees."""
    return _together(work, stations_of(work, count=1), fill=False)


def _together(work: Work, stations: Sequence[Station], *, fill: bool = True) -> Painted:
    request = work.request
    start, strength = restyle_start(work, stations)
    if start is not None and changes_nothing(strength):
        pictures = start
    else:
        rewrite = synchroniser(work, stations)
        pictures = paint(work, Pass(stations, rewrite, strength, start))
    painted = Painted([], stations, pictures)
    return replace(painted, textures=projected(work, painted, request.size, fill=fill))


def restyle_start(work: Work, stations: Sequence[Station]) -> tuple[list[Tensor] | None, float]:
    """The base texture as the stations see it, and the strength; (None, 1) to paint anew."""
    base = work.painted_base
    if base is None or work.request.strength >= 1:
        return None, 1.0
    tiles = [(FIRST_TILE, base)]
    return [seen_texture(work, s, tiles)[0] for s in stations], work.request.strength


def projected(work: Work, painted: Painted, size: int, *, fill: bool = True) -> list[Texture]:
    """The pictures on the mesh, exposure anchored to the first view."""
    work.reporter.checkpoint()
    work.reporter.progress(Phase.PROJECTING, 0, 1)
    options = Options(size=size, rule=_RULE, anchor=0, fill=fill)
    textures = project(work.mesh, painted.views(), options, work.reporter.checkpoint)
    work.reporter.progress(Phase.PROJECTING, 1, 1)
    return textures


def paint_grid_sync(work: Work) -> Painted:
    """Four sides as one picture, then all views from there at part strength."""
    stations = stations_of(work)
    steps = work.request.sampling.steps
    total = steps + active_steps(steps, STRENGTH) * len(stations)
    four, pictures = grid_pictures(work, total)
    coarse = projected(work, Painted([], four, pictures), work.request.size)
    device = work.mesh.position.device
    tiles = [(t.number, _opaque(t).to(device)) for t in coarse]
    start = [seen_texture(work, station, tiles)[0] for station in stations]
    plan = Pass(stations, synchroniser(work, stations), STRENGTH, start, steps, total)
    painted = Painted([], stations, paint(work, plan))
    return replace(painted, textures=projected(work, painted, work.request.size))


def paint_in_turn(work: Work) -> Painted:
    """One view after another, each continuing what is there."""
    painted = paint_sequential(work)
    return replace(painted, textures=projected(work, painted, work.request.size))


def _opaque(texture: Texture) -> Tensor:
    colour = torch.from_numpy(texture.color[..., :3])
    return torch.cat((colour, torch.ones_like(colour[..., :1])), -1)


METHODS: Mapping[Method, Callable[[Work], Painted]] = {
    Method.SYNC: paint_sync,
    Method.GRID_SYNC: paint_grid_sync,
    Method.SEQUENTIAL: paint_in_turn,
    Method.SINGLE: paint_single,
}
