"""The texture as it is about to become, small and often, for hosts that show it on the mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint_daemon.worker.pipelines.loading.components import LoadedModel

from ..cameras.visibility import ViewGeometry, looks, sample
from ..projection.gutter import dilate
from ..projection.tiers import GENERATED
from ..surface.atlas import FIRST_TILE, AtlasTile, build_tile, tiles
from ..surface.mesh import Mesh
from ..views.stations import Station
from .existing import Existing
from .pictures import Image8

Array = npt.NDArray[Any]
_SIDE = 256
_GREY = 0.5
_GUTTER = 4
_LEAST_COSINE = 0.05
_LARGEST_ERROR = 1.5


@dataclass(frozen=True, slots=True)
class _Sighting:
    """What one view sees of one tile's texels: their rows, where they land, what that weighs."""

    rows: Tensor
    pixel: Tensor
    weight: Tensor


@dataclass(slots=True)
class TextureStream:
    """Makes previews of one job, tile after tile. Views stay in the picture until `forget`."""

    model: LoadedModel
    mesh: Mesh
    existing: Existing
    _tiles: list[AtlasTile] = field(default_factory=list)
    _seen: dict[int, tuple[Station, list[_Sighting]]] = field(default_factory=dict)
    _colours: dict[int, Tensor] = field(default_factory=dict)
    _shown: int = 0

    def forget(self) -> None:
        """The views so far are painted over: show none of them any more."""
        self._seen.clear()
        self._colours.clear()

    def picture(self, stations: Sequence[Station], clean: Sequence[Tensor]) -> tuple[Image8, int]:
        """The next tile with what the clean latents of some views (1, C, h, w) put on it,
        (side, side, 3) uint8, and the tile's number less 1001."""
        if not self._tiles:
            self._tiles = [build_tile(self.mesh, n, _SIDE) for n in tiles(self.mesh)]
        for station, latent in zip(stations, clean, strict=True):
            self._look(station)
            shown = torch.from_numpy(self.model.preview(latent)).to(self.mesh.position.device)
            self._colours[id(station)] = shown.permute(2, 0, 1)[None].float() / 255
        which = self._shown % len(self._tiles)
        self._shown += 1
        return self._painted(which), self._tiles[which].number - FIRST_TILE

    def _look(self, station: Station) -> None:
        # The station is kept too, or another could come to have its id.
        if id(station) not in self._seen:
            view = ViewGeometry.of(station.latent)
            sightings = [_sighting(tile, view) for tile in self._tiles]
            self._seen[id(station)] = (station, sightings)

    def _painted(self, which: int) -> Image8:
        tile = self._tiles[which]
        total = torch.zeros((len(tile.points), 4), device=tile.pitch.device)
        for key, (station, sightings) in self._seen.items():
            seen = sightings[which]
            colour = sample(self._colours[key], seen.pixel, station.latent.size).T
            total[seen.rows, :3] += colour * seen.weight[:, None]
            total[seen.rows, 3] += seen.weight
        image = tile.image(total).cpu().numpy()
        known = image[..., 3] > 0
        mean = image[..., :3] / np.maximum(image[..., 3:], 1e-12)
        mean, given = dilate(mean, known, _GUTTER)
        return self._over_base(tile.number, mean, known | given)

    def _over_base(self, number: int, colour: Array, known: Array) -> Image8:
        weight = known[..., None].astype(np.float32)
        below: Array | float = _GREY
        if (own := self.existing.tile(number)) is not None:
            base = cv2.resize(own.base, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) / 255
            below = base[..., :3] * base[..., 3:] + _GREY * (1 - base[..., 3:])
            opened = cv2.resize(own.openness, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
            weight = weight * opened[..., None]
        mixed = colour * weight + below * (1 - weight)
        return np.ascontiguousarray((mixed.clip(0, 1) * 255).round().astype(np.uint8))


def _sighting(tile: AtlasTile, view: ViewGeometry) -> _Sighting:
    parts = list[tuple[Tensor, Tensor, Tensor]]()
    for _, sight in looks(tile.points, view, _LEAST_COSINE):
        rows = (sight.error < _LARGEST_ERROR).nonzero()[:, 0]
        seen = sight.select(rows)
        parts.append((seen.index, seen.pixel, seen.cosine**GENERATED.alpha))
    return _Sighting(*(torch.cat([part[i] for part in parts]) for i in range(3)))
