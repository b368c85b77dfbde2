"""The methods that paint a texture; all end in the same projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from underpaint.requests import Method
from underpaint_daemon.common.job_contract import Phase
from underpaint_daemon.worker.pipelines.steps import changes_nothing

from ..projection.mirror import made_symmetric
from ..projection.project import Options, Texture, project
from ..projection.tiers import GENERATED
from ..views.stations import Station
from .edit import again, paint_open
from .grid import STRENGTH, grid_pictures
from .painting import Inputs, Painted, Pass, paint, seen_texture, stations_of, synchroniser
from .sequential import paint_sequential

# Views that agree need less blending: a steep weight keeps the detail of the squarest view.
RULE = replace(GENERATED, alpha=8.0, sharp=True)
_UPSCALE_STRENGTH = 0.35
_SYMMETRIC = 0.5


def paint_texture(inputs: Inputs) -> Painted:
    """What the request asks for: its open spots, or everything by its method."""
    inputs = again(inputs, RULE)
    painted = (
        paint_open(inputs, RULE)
        if inputs.existing.locked
        else METHODS[inputs.request.method](inputs)
    )
    return replace(painted, textures=_mirrored(inputs, painted.textures), existing=inputs.existing)


def paint_sync(inputs: Inputs) -> Painted:
    """All views denoise together and agree at every step; from `base` below full strength."""
    return _together(inputs, stations_of(inputs))


def paint_single(inputs: Inputs) -> Painted:
    """One view alone, onto what it sees."""
    return _together(inputs, stations_of(inputs, count=1), fill=False)


def _together(inputs: Inputs, stations: Sequence[Station], *, fill: bool = True) -> Painted:
    start, strength = restyle_start(inputs, stations)
    if start is not None and changes_nothing(strength):
        return _projected(inputs, Painted([], stations, start), fill=fill)
    steps = inputs.steps_at(strength) * len(stations)
    rewrite = synchroniser(inputs, stations)
    total = steps + upscaling_steps(inputs, len(stations))
    pictures = paint(inputs, Pass(stations, rewrite, strength, start, 0, total))
    painted = upscaled(inputs, Painted([], stations, pictures), steps)
    return _projected(inputs, painted, fill=fill)


def restyle_start(inputs: Inputs, stations: Sequence[Station]) -> tuple[list[Tensor] | None, float]:
    """The base texture as the stations see it, and the strength; (None, 1) to paint anew."""
    if not inputs.existing or inputs.request.strength >= 1:
        return None, 1.0
    tiles = [tile.texture(inputs.mesh.position.device) for tile in inputs.existing.tiles]
    return [seen_texture(inputs, s, tiles)[0] for s in stations], inputs.request.strength


def upscaling_steps(inputs: Inputs, views: int) -> int:
    """View-steps that `upscaled` will take."""
    if inputs.request.upscale == 1:
        return 0
    return inputs.steps_at(_UPSCALE_STRENGTH) * views


def upscaled(inputs: Inputs, painted: Painted, done: int) -> Painted:
    """The same views painted once more, larger, from themselves at low strength and in agreement.

    done: view-steps taken before.
    """
    scale = inputs.request.upscale
    if scale == 1:
        return painted
    inputs.stream.forget()
    stations = inputs.preparer.enlarged(painted.stations, scale)
    start = [_enlarged(p, s.size) for p, s in zip(painted.pictures, stations, strict=True)]
    total = done + upscaling_steps(inputs, len(stations))
    hook = synchroniser(inputs, stations)
    pictures = paint(inputs, Pass(stations, hook, _UPSCALE_STRENGTH, start, done, total))
    return Painted([], stations, pictures)


def _enlarged(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture (h, w, 3) at a larger size, by bicubic interpolation."""
    image = picture.permute(2, 0, 1)[None]
    larger = torch.nn.functional.interpolate(image, size, mode="bicubic", align_corners=False)
    return larger[0].permute(1, 2, 0).clamp(0, 1)


def _projected(inputs: Inputs, painted: Painted, *, fill: bool = True) -> Painted:
    textures = projected(inputs, painted, inputs.request.size, fill=fill)
    return replace(painted, textures=textures)


def projected(inputs: Inputs, painted: Painted, size: int, *, fill: bool = True) -> list[Texture]:
    """The pictures on the mesh, exposure anchored to the first view."""
    inputs.reporter.raise_if_cancelled()
    inputs.reporter.progress(Phase.PROJECTING, 0, 1)
    options = Options(size=size, rule=RULE, anchor=0, fill=fill)
    textures = project(inputs.mesh, painted.views(), options, inputs.reporter.raise_if_cancelled)
    inputs.reporter.progress(Phase.PROJECTING, 1, 1)
    return textures


def _mirrored(inputs: Inputs, textures: list[Texture]) -> list[Texture]:
    mirror = inputs.request.mirror
    if mirror is None:
        return textures
    same, found = made_symmetric(inputs.mesh, inputs.atlas(), textures, mirror)
    if found < _SYMMETRIC:
        inputs.reporter.warn(
            f"Only {found:.0%} of the surface has a mirror image across the plane; the rest is "
            "painted without symmetry. Is the plane where the object's middle is?"
        )
    return same


def paint_grid_sync(inputs: Inputs) -> Painted:
    """Four sides as one picture, then all views from there at part strength."""
    stations = stations_of(inputs)
    steps = inputs.sampling.steps
    done = steps + inputs.steps_at(STRENGTH) * len(stations)
    total = done + upscaling_steps(inputs, len(stations))
    four, pictures = grid_pictures(inputs, total)
    coarse = projected(inputs, Painted([], four, pictures), inputs.request.size)
    device = inputs.mesh.position.device
    tiles = [(t.number, _opaque(t).to(device)) for t in coarse]
    start = [seen_texture(inputs, station, tiles)[0] for station in stations]
    inputs.stream.forget()
    plan = Pass(stations, synchroniser(inputs, stations), STRENGTH, start, steps, total)
    painted = upscaled(inputs, Painted([], stations, paint(inputs, plan)), done)
    return _projected(inputs, painted)


def paint_in_turn(inputs: Inputs) -> Painted:
    """One view after another, each continuing what is there."""
    steps, count = inputs.sampling.steps, len(inputs.request.views) or inputs.request.view_count
    total = steps * count + upscaling_steps(inputs, count)
    painted = paint_sequential(inputs, total)
    return _projected(inputs, upscaled(inputs, painted, steps * count))


def _opaque(texture: Texture) -> Tensor:
    colour = torch.from_numpy(texture.color[..., :3])
    return torch.cat((colour, torch.ones_like(colour[..., :1])), -1)


METHODS: Mapping[Method, Callable[[Inputs], Painted]] = {
    Method.SYNC: paint_sync,
    Method.GRID_SYNC: paint_grid_sync,
    Method.SEQUENTIAL: paint_in_turn,
    Method.SINGLE: paint_single,
}
