"""The maps of one tile, texel by texel: of what the views show of it, its paint, and the mesh."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint_daemon.worker.materials.estimates import Stuff, surface
from underpaint_daemon.worker.materials.maps import Maps

from ..maps.delight import Light
from ..maps.occlusion import ambient_occlusion
from ..maps.tangents import texel_frames
from ..projection.gather import PaintedView
from ..projection.gutter import dilate
from ..projection.project import Texture
from ..projection.tiers import FILLED
from ..surface.atlas import AtlasTile, build_tile
from ..surface.mesh import Mesh
from .pictures import Image8

Array = npt.NDArray[Any]
_OCCLUSION_SIDE = 512
_HOW = {
    "base_color": "estimated: light that follows the surface's direction was divided out",
    "height": "estimated: darker is deeper, slow changes left out",
    "normal": "estimated from height, seen from the views",
    "ao": "from the mesh: sky seen from each texel",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is gathered: the channels' names and counts in their order, the views that show them,
    and how maps came about that are not estimated."""

    channels: tuple[tuple[str, int], ...]
    views: list[PaintedView]
    made: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MappedTile:
    """One tile on its way. gathered: the views' channels; image: its painted RGBA."""

    mesh: Mesh
    tile: AtlasTile
    gathered: Texture
    image: Image8
    stuffs: Mapping[int, Stuff]
    tick: Callable[[int], None]

    def maps(self, seen: Seen, light: Light | None, depth: float) -> Maps:
        frames = texel_frames(self.mesh, self.tile)
        given = self._channels(seen.channels)
        if light is None:
            color = given["albedo"]
        else:
            color = light.removed(self._colors(), frames.normal.cpu()).numpy()
        height = given["height"][:, 0]
        roughness, metallic = self._stuff(color, height)
        lean = torch.from_numpy(given["leaning"]).to(frames.normal)
        filled = self._tiers() >= FILLED
        # Where no view looked there is nothing to lean: relief from elsewhere would not fit.
        lean[torch.from_numpy(filled).to(lean.device)] = 0
        bent = torch.nn.functional.normalize(frames.normal + lean, dim=1)
        normal = frames.to_tangent(bent).cpu().numpy()
        guess = f"estimated: {'; '.join(sorted({s.said for s in self.stuffs.values()}))}"
        alpha = self.image[..., 3:].astype(np.float32) / 255
        return Maps(
            base_color=np.concatenate([self._whole(color), alpha], -1),
            roughness=self._whole(given.get("roughness", roughness)),
            metallic=self._whole(given.get("metallic", metallic)),
            normal=self._whole(normal),
            height=self._whole(height + 0.5),
            ao=_occlusion(self.mesh, self.tile, self.tick),
            made={**_HOW, "roughness": guess, "metallic": guess, **seen.made},
            height_range=depth,
        )

    def _channels(self, names: Sequence[tuple[str, int]]) -> dict[str, Array]:
        flat = self.gathered.color.reshape(-1, self.gathered.color.shape[2])
        texels = np.nan_to_num(flat[self.tile.index.cpu().numpy()])
        found, at = {}, 0
        for name, count in names:
            found[name] = texels[:, at : at + count]
            at += count
        return found

    def _tiers(self) -> Array:
        return np.asarray(self.gathered.tier.reshape(-1)[self.tile.index.cpu().numpy()])

    def _colors(self) -> Tensor:
        flat = np.ascontiguousarray(self.image[..., :3]).reshape(-1, 3)
        return torch.from_numpy(flat[self.tile.index.cpu().numpy()]).float() / 255

    def _stuff(self, color: Array, height: Array) -> tuple[Array, Array]:
        """Roughness and metallic (N,), object by object."""
        objects = self.tile.points.object_id.cpu().numpy()
        roughness, metallic = np.zeros(len(color), "f4"), np.zeros(len(color), "f4")
        for number in np.unique(objects):
            rows = objects == number
            stuff = self.stuffs.get(int(number), self.stuffs[0])
            found = surface(color[rows][None], height[rows][None], stuff)
            roughness[rows], metallic[rows] = found[0][0], found[1][0]
        return roughness, metallic

    def _whole(self, values: Array) -> Array:
        """Texels (N[, C]) as an image (size, size[, C]) with its gutter."""
        columns = torch.from_numpy(
            np.ascontiguousarray(values, np.float32).reshape(len(values), -1)
        )
        image = self.tile.image(columns.to(self.tile.index.device)).cpu().numpy()
        whole, _ = dilate(image, _used(self.tile))
        return whole[..., 0] if whole.shape[2] == 1 else whole


def _used(tile: AtlasTile) -> Array:
    return tile.image(torch.ones_like(tile.index, dtype=torch.uint8)).cpu().numpy() > 0


def _occlusion(mesh: Mesh, tile: AtlasTile, tick: Callable[[int], None]) -> Array:
    """(size, size) float32; smooth, so it is worked out at 512 texels at most."""
    small = tile if tile.size <= _OCCLUSION_SIDE else build_tile(mesh, tile.number, _OCCLUSION_SIDE)
    normal = texel_frames(mesh, small).normal
    seen = ambient_occlusion(mesh, small.points.position, normal, tick=partial(tick, 1))
    image, _ = dilate(small.image(seen[:, None]).cpu().numpy(), _used(small))
    size = (tile.size, tile.size)
    return np.asarray(cv2.resize(image[..., 0], size, interpolation=cv2.INTER_LINEAR))
