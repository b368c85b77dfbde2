"""The methods that paint a texture; all end in the same projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from underpaint.requests import Method
from underpaint_daemon.common.job_contract import Phase
from underpaint_daemon.worker.pipelines.denoise import active_steps, changes_nothing

from ..projection.mirror import made_symmetric
from ..projection.project import Options, Texture, project
from ..projection.tiers import GENERATED
from ..views.stations import Station
from .edit import again, paint_open
from .grid import STRENGTH, grid_pictures
from .painting import Painted, Pass, Work, paint, seen_texture, stations_of, synchroniser
from .sequential import paint_sequential

# Views that agree need less blending: a steep weight keeps the detail of the squarest view.
RULE = replace(GENERATED, alpha=8.0, sharp=True)
_UPSCALE_STRENGTH = 0.35
_SYMMETRIC = 0.5


def paint_texture(work: Work) -> Painted:
    """What the request asks for: its open spots, or everything by its method."""
    work = again(work, RULE)
    painted = paint_open(work, RULE) if work.present.locked else METHODS[work.request.method](work)
    return replace(painted, textures=_mirrored(work, painted.textures), present=work.present)


def paint_sync(work: Work) -> Painted:
    """All views denoise together and agree at every step; from `base` below full strength."""
    return _together(work, stations_of(work))


def paint_single(work: Work) -> Painted:
    """One view alone, onto what it sees."""
    return _together(work, stations_of(work, count=1), fill=False)


def _together(work: Work, stations: Sequence[Station], *, fill: bool = True) -> Painted:
    start, strength = restyle_start(work, stations)
    if start is not None and changes_nothing(strength):
        return _projected(work, Painted([], stations, start), fill=fill)
    steps = active_steps(work.sampling.steps, strength) * len(stations)
    rewrite = synchroniser(work, stations)
    total = steps + upscaling_steps(work, len(stations))
    pictures = paint(work, Pass(stations, rewrite, strength, start, 0, total))
    painted = upscaled(work, Painted([], stations, pictures), steps)
    return _projected(work, painted, fill=fill)


def restyle_start(work: Work, stations: Sequence[Station]) -> tuple[list[Tensor] | None, float]:
    """The base texture as the stations see it, and the strength; (None, 1) to paint anew."""
    if not work.present or work.request.strength >= 1:
        return None, 1.0
    tiles = [tile.texture(work.mesh.position.device) for tile in work.present.tiles]
    return [seen_texture(work, s, tiles)[0] for s in stations], work.request.strength


def upscaling_steps(work: Work, views: int) -> int:
    """View-steps that `upscaled` will take."""
    if work.request.upscale == 1:
        return 0
    return active_steps(work.sampling.steps, _UPSCALE_STRENGTH) * views


def upscaled(work: Work, painted: Painted, done: int) -> Painted:
    """The same views painted once more, larger, from themselves at low strength and in agreement.

    done: view-steps taken before.
    """
    scale = work.request.upscale
    if scale == 1:
        return painted
    work.stream.forget()
    stations = work.preparer.enlarged(painted.stations, scale)
    start = [_enlarged(p, s.size) for p, s in zip(painted.pictures, stations, strict=True)]
    total = done + upscaling_steps(work, len(stations))
    hook = synchroniser(work, stations)
    pictures = paint(work, Pass(stations, hook, _UPSCALE_STRENGTH, start, done, total))
    return Painted([], stations, pictures)


def _enlarged(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture (h, w, 3) at a larger size, by bicubic interpolation."""
    image = picture.permute(2, 0, 1)[None]
    larger = torch.nn.functional.interpolate(image, size, mode="bicubic", align_corners=False)
    return larger[0].permute(1, 2, 0).clamp(0, 1)


def _projected(work: Work, painted: Painted, *, fill: bool = True) -> Painted:
    textures = projected(work, painted, work.request.size, fill=fill)
    return replace(painted, textures=textures)


def projected(work: Work, painted: Painted, size: int, *, fill: bool = True) -> list[Texture]:
    """The pictures on the mesh, exposure anchored to the first view."""
    work.reporter.checkpoint()
    work.reporter.progress(Phase.PROJECTING, 0, 1)
    options = Options(size=size, rule=RULE, anchor=0, fill=fill)
    textures = project(work.mesh, painted.views(), options, work.reporter.checkpoint)
    work.reporter.progress(Phase.PROJECTING, 1, 1)
    return textures


def _mirrored(work: Work, textures: list[Texture]) -> list[Texture]:
    mirror = work.request.mirror
    if mirror is None:
        return textures
    same, found = made_symmetric(work.mesh, work.atlas(), textures, mirror)
    if found < _SYMMETRIC:
        work.reporter.warn(
            f"Only {found:.0%} of the surface has a mirror image across the plane; the rest is "
            "painted without symmetry. Is the plane where the object's middle is?"
        )
    return same


def paint_grid_sync(work: Work) -> Painted:
    """Four sides as one picture, then all views from there at part strength."""
    stations = stations_of(work)
    steps = work.sampling.steps
    done = steps + active_steps(steps, STRENGTH) * len(stations)
    total = done + upscaling_steps(work, len(stations))
    four, pictures = grid_pictures(work, total)
    coarse = projected(work, Painted([], four, pictures), work.request.size)
    device = work.mesh.position.device
    tiles = [(t.number, _opaque(t).to(device)) for t in coarse]
    start = [seen_texture(work, station, tiles)[0] for station in stations]
    work.stream.forget()
    plan = Pass(stations, synchroniser(work, stations), STRENGTH, start, steps, total)
    painted = upscaled(work, Painted([], stations, paint(work, plan)), done)
    return _projected(work, painted)


def paint_in_turn(work: Work) -> Painted:
    """One view after another, each continuing what is there."""
    steps, count = work.sampling.steps, len(work.request.views) or work.request.view_count
    total = steps * count + upscaling_steps(work, count)
    painted = paint_sequential(work, total)
    return _projected(work, upscaled(work, painted, steps * count))


def _opaque(texture: Texture) -> Tensor:
    colour = torch.from_numpy(texture.color[..., :3])
    return torch.cat((colour, torch.ones_like(colour[..., :1])), -1)


METHODS: Mapping[Method, Callable[[Work], Painted]] = {
    Method.SYNC: paint_sync,
    Method.GRID_SYNC: paint_grid_sync,
    Method.SEQUENTIAL: paint_in_turn,
    Method.SINGLE: paint_single,
}
