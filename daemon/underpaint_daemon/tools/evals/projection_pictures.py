"""Pictures of an `eval projection`: the texture, where it is weak, where it errs, a turntable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.render import render_view
from underpaint_daemon.worker.texturing.cameras.room import room_rig
from underpaint_daemon.worker.texturing.job.pictures import (
    Image8,
    contact_sheet,
    heat_map,
    plain_png,
)
from underpaint_daemon.worker.texturing.projection.lookup import textured_view
from underpaint_daemon.worker.texturing.projection.project import Texture
from underpaint_daemon.worker.texturing.surface.mesh import is_inside_out

from .oracle import Oracle, texel_values
from .projection_figures import Figures

_SIDE = 384
_ERROR_SCALE = 20.0  # an error of 1/20 shows white


def write_pictures(figures: Figures, folder: Path) -> list[Path]:
    """Write PNGs into a folder (made when missing); their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Image8] = {"turntable.png": turntable(figures)}
    for texture, truth in zip(figures.textures, figures.oracle.truths, strict=True):
        suffix = "" if len(figures.textures) == 1 else f"_{texture.number}"
        color, _ = texel_values(texture, truth.tile)
        error = (color[:, :3] - truth.color).abs() * _ERROR_SCALE
        files[f"texture{suffix}.png"] = _bytes(texture.color[..., :3])
        files[f"heat_map{suffix}.png"] = heat_map(texture.tier)
        files[f"error{suffix}.png"] = _bytes(truth.tile.image(error).cpu().numpy())
    paths = []
    for name, picture in files.items():
        path = folder / name
        path.write_bytes(plain_png(picture))
        paths.append(path)
    return paths


def turntable(figures: Figures) -> Image8:
    """Eight views of the textured mesh, and below them the same of the true texture."""
    oracle, images = figures.oracle, _images(figures.textures)
    ours, theirs = list[Image8](), list[Image8]()
    for camera in _cameras(oracle):
        view = render_view(oracle.mesh, camera)
        seen = textured_view(oracle.mesh, view, images)
        true = torch.where(view.mask[..., None], oracle.solid(view.position), 0.0)
        ours.append(_bytes(seen.cpu().numpy()))
        theirs.append(_bytes(true.cpu().numpy()))
    return contact_sheet([*ours, *theirs], columns=len(ours))


def _cameras(oracle: Oracle) -> list[Any]:
    if is_inside_out(oracle.mesh):
        return [view.camera for view in room_rig(oracle.mesh, 8, _SIDE)]
    turns = [Direction(45.0 * i, 20.0 if i % 2 else -20.0) for i in range(8)]
    return [place(oracle.mesh, turn, _SIDE).camera for turn in turns]


def _images(textures: tuple[Texture, ...]) -> list[tuple[int, torch.Tensor]]:
    return [(t.number, torch.from_numpy(t.color[..., :3])) for t in textures]


def _bytes(image: npt.NDArray[Any]) -> Image8:
    rounded: Image8 = (np.clip(image, 0, 1) * 255).round().astype(np.uint8)
    return rounded
