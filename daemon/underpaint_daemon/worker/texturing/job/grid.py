"""Four sides as one picture first, so that all of them share one idea of the object.

Front, left, back and right are laid into a 2×2 picture and denoised as a single image; projected
onto the mesh it is the start from which the synchronised views go on at part strength.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Control
from underpaint_daemon.worker.pipelines.controls.networks import Conditioning
from underpaint_daemon.worker.pipelines.references.beside import Beside

from ..cameras.placement import place
from ..cameras.render import ViewBuffers
from ..cameras.rig import CANONICAL
from ..views.stations import Station
from ..views.views_prompt import Region
from .painting import Inputs, Pass, paint, placed, synchroniser

STRENGTH = 0.65
_COLUMNS = 2


def grid_pictures(inputs: Inputs, total: int) -> tuple[list[Station], list[Tensor]]:
    """The four canonical stations and their pictures (h, w, 3). total: view-steps of the job.

    Raises RequestError(BAD_REQUEST) when the job has captured views of its own: the grid needs
    views from four sides.
    """
    request = inputs.request
    if request.views:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "method grid_sync places its own cameras; leave views empty, or use sync",
        )
    rig = [place(inputs.mesh, direction, inputs.side) for direction in CANONICAL]
    stations = placed(inputs, rig)
    sheet = _sheet(stations)
    hook = synchroniser(inputs, [sheet], apart=True)
    plan = Pass([sheet], hook, total=total, shown=lambda clean: (stations, _quarters(clean[0])))
    picture = paint(inputs, plan)[0]
    return stations, _cut(picture)


def _sheet(stations: Sequence[Station]) -> Station:
    """Four stations as one; its geometry is only good for masks and noise."""
    return Station(
        _tiled_buffers([s.buffers for s in stations]),
        _tiled_buffers([s.latent for s in stations]),
        None,
        _tiled_conditioning(stations),
        _tiled_regions(stations),
        _tiled_beside(stations),
    )


def _tiled(images: Sequence[Tensor]) -> Tensor:
    rows = [torch.cat(list(images[i : i + _COLUMNS]), 1) for i in range(0, len(images), _COLUMNS)]
    return torch.cat(rows, 0)


def _tiled_buffers(views: Sequence[ViewBuffers]) -> ViewBuffers:
    return ViewBuffers(
        views[0].camera,
        _tiled([v.position for v in views]),
        _tiled([v.normal for v in views]),
        _tiled([v.object_id for v in views]),
        _tiled([v.depth for v in views]),
        _tiled([v.mask for v in views]),
    )


def _tiled_conditioning(stations: Sequence[Station]) -> Conditioning:
    first = stations[0].conditioning
    controls: tuple[Control, ...] = first.controls
    images = tuple(
        np.ascontiguousarray(
            _tiled([torch.from_numpy(s.conditioning.images[i]) for s in stations]).numpy()
        )
        for i in range(len(controls))
    )
    return Conditioning(controls, first.networks, images)


def _tiled_regions(stations: Sequence[Station]) -> tuple[Region, ...]:
    """Whose prompt and LoRAs hold where on the sheet, each as the first view that shows it says."""
    own = _tiled([_owners(station) for station in stations])
    by_key = {region.key: region for station in reversed(stations) for region in station.regions}
    first, *others = sorted(by_key)
    whole = replace(by_key[first], mask=None)
    return (whole, *(replace(by_key[key], mask=own == key) for key in others))


def _owners(station: Station) -> Tensor:
    """(h, w) int64 at latent resolution: the key of the region that holds."""
    first, *others = station.regions
    own = torch.full_like(station.latent.object_id, first.key, dtype=torch.int64)
    for region in others:
        own[region.mask] = region.key
    return own


def _tiled_beside(stations: Sequence[Station]) -> Beside:
    first = stations[0].beside
    rows = zip(*(s.beside.pictures[first.given :] for s in stations), strict=True)
    tiled = (_tiled([torch.from_numpy(np.asarray(p).copy()) for p in row]) for row in rows)
    pictures = tuple(Image.fromarray(picture.numpy()) for picture in tiled)
    return replace(first, pictures=(*first.pictures[: first.given], *pictures))


def _quarters(latent: Tensor) -> list[Tensor]:
    """The four views' parts (1, C, h, w) of a grid's latents."""
    return [part.permute(2, 0, 1)[None] for part in _cut(latent[0].permute(1, 2, 0))]


def _cut(picture: Tensor) -> list[Tensor]:
    """A 2×2 picture's four parts, row by row."""
    half = picture.shape[0] // 2
    rows = torch.split(picture, half, 0)
    return [part for row in rows for part in torch.split(row, picture.shape[1] // 2, 1)]
