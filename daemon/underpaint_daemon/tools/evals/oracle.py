"""Oracle tests of projection: paint with a known texture, photograph, ask for it back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint.cameras import Camera
from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.render import ViewBuffers, render_view
from underpaint_daemon.worker.texturing.cameras.rig import automatic_rig
from underpaint_daemon.worker.texturing.cameras.room import room_rig
from underpaint_daemon.worker.texturing.cameras.visibility import ViewGeometry
from underpaint_daemon.worker.texturing.projection.gather import PaintedView
from underpaint_daemon.worker.texturing.projection.lookup import textured_view
from underpaint_daemon.worker.texturing.projection.project import Texture, painted_as
from underpaint_daemon.worker.texturing.surface.atlas import AtlasTile, build_tile, tiles
from underpaint_daemon.worker.texturing.surface.mesh import Mesh, is_inside_out
from underpaint_daemon.worker.texturing.surface.uvcheck import contested

from .solid import Solid, picture, solid_texture

_UNSEEN = (Direction(33, 35), Direction(155, -33), Direction(250, 10), Direction(300, 55))


@dataclass(frozen=True, slots=True)
class Photograph:
    """A view's geometry and its picture (h, w, 4): colour, and the share of background."""

    view: ViewBuffers
    picture: Tensor
    geometry: ViewGeometry

    @property
    def painted(self) -> PaintedView:
        return self.painted_with(self.picture)

    def painted_with(self, picture: Tensor) -> PaintedView:
        """The view with another picture of that size."""
        return painted_as(self.geometry, picture)


@dataclass(frozen=True, slots=True)
class Truth:
    """A tile's texels and what they should hold: color (N, 3); sound (N,) bool: texels that lie
    in an island and paint one place only."""

    tile: AtlasTile
    color: Tensor
    sound: Tensor


@dataclass(frozen=True, slots=True)
class Oracle:
    """A mesh painted with a solid texture; its texels' true colours."""

    mesh: Mesh
    solid: Solid
    truths: tuple[Truth, ...]

    @classmethod
    def of(cls, mesh: Mesh, size: int, seed: int = 0) -> Oracle:
        solid = solid_texture(mesh, seed)
        parts = [build_tile(mesh, number, size) for number in tiles(mesh)]
        return cls(mesh, solid, tuple(_truth(mesh, solid, tile) for tile in parts))

    @property
    def contested_fraction(self) -> float:
        """Of the texels in islands, those that paint two places at once."""
        core = sum(int(truth.tile.core.sum()) for truth in self.truths)
        return 1 - sum(int(truth.sound.sum()) for truth in self.truths) / max(1, core)

    @property
    def atlas(self) -> list[AtlasTile]:
        return [truth.tile for truth in self.truths]

    def photographs(self, count: int, size: int, oversampling: int = 2) -> list[Photograph]:
        """Pictures from the automatic rig."""
        rig = automatic_rig(self.mesh, count, size)
        return [self.photograph(view.camera, oversampling) for view in rig]

    def photograph(self, camera: Camera, oversampling: int = 2) -> Photograph:
        shot = picture(self.mesh, camera, self.solid, oversampling=oversampling)
        view = render_view(self.mesh, camera)
        return Photograph(view, shot, ViewGeometry.of(view))


def _truth(mesh: Mesh, solid: Solid, tile: AtlasTile) -> Truth:
    sound = tile.core & ~contested(mesh, tile)
    return Truth(tile, solid(tile.points.position), sound)


def held_out_cameras(mesh: Mesh, size: int) -> list[Camera]:
    """Four cameras that no rig of ours uses."""
    if is_inside_out(mesh):
        return [view.camera for view in room_rig(mesh, 5, size)[1:]]
    return [place(mesh, direction, size).camera for direction in _UNSEEN]


def psnr(error: Tensor) -> float:
    """dB of colour errors on a scale of 0..1; infinite for none, NaN for nothing."""
    if error.numel() == 0:
        return math.nan
    mean = float(error.double().square().mean())
    return -10 * math.log10(mean) if mean > 0 else math.inf


def texel_values(texture: Texture, tile: AtlasTile) -> tuple[Tensor, Tensor]:
    """Colours (N, C) and tiers (N,) of a tile's texels."""
    color = torch.from_numpy(texture.color).reshape(-1, texture.color.shape[2])
    tier = torch.from_numpy(texture.tier).reshape(-1)
    index = tile.index.cpu()
    return color[index].to(tile.index.device), tier[index].to(tile.index.device)


def held_out_error(
    oracle: Oracle, textures: Sequence[Texture], cameras: Sequence[Camera]
) -> Tensor:
    """Colour errors (M, 3) over the pixels of views that the texture was not made from."""
    images = [(t.number, torch.from_numpy(t.color[..., :3])) for t in textures]
    places = [(t.tile.number, _place_map(t)) for t in oracle.truths]
    errors = [torch.zeros((0, 3), device=oracle.mesh.position.device)]
    for camera in cameras:
        view = render_view(oracle.mesh, camera)
        true = oracle.solid(view.position[view.mask])
        seen = textured_view(oracle.mesh, view, images)[view.mask]
        at = textured_view(oracle.mesh, view, places)[view.mask]
        # A texel that two places share can hold the colour of one only: that is the UV map's doing.
        shared = at[:, 0] > 0.01
        errors.append((seen.to(true) - true)[~shared])
    return torch.cat(errors)


def _place_map(truth: Truth) -> Tensor:
    """(size, size, 1): 1 where a texel is claimed twice."""
    twice = (truth.tile.core & ~truth.sound).float()
    return truth.tile.image(twice[:, None])
