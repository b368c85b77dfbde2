"""The methods that paint a texture; all end in the same projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from underpaint.requests import Method

from ..job import Phase
from ..pipelines.denoise import changes_nothing
from .atlas import FIRST_TILE
from .project import Options, Texture, project
from .stations import Station
from .work import Painted, Pass, Work, paint, seen_texture, stations_of, synchroniser


def paint_sync(work: Work) -> Painted:
    """All views denoise together and agree at every step; from `base` below full strength."""
    return _together(work, stations_of(work))


def paint_single(work: Work) -> Painted:
    """One view alone, onto what it sees."""
    painted = _together(work, stations_of(work, count=1), fill=False)
    return painted


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
    options = Options(size=size, anchor=0, fill=fill)
    textures = project(work.mesh, painted.views(), options, work.reporter.checkpoint)
    work.reporter.progress(Phase.PROJECTING, 1, 1)
    return textures


METHODS: Mapping[Method, Callable[[Work], Painted]] = {
    Method.SYNC: paint_sync,
    Method.SINGLE: paint_single,
}
