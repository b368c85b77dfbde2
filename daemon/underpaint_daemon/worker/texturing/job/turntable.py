"""A painted mesh seen from all round: what people look at, and what measures of colour use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..cameras.placement import Direction, place
from ..cameras.render import ViewBuffers, render_view
from ..projection.lookup import textured_view
from ..surface.mesh import Mesh, face_normals
from .pictures import Image8, contact_sheet

_AMBIENT = 0.55
_GREY = 60
_OVERSAMPLING = 2
_SIDE, _LEAST = 320, 96  # px of one picture
DIRECTIONS = (
    *(Direction(90.0 * i + 32.0, 10.0) for i in range(4)),
    *(Direction(90.0 * i + 74.0, 40.0) for i in range(4)),
    Direction(10.0, -35.0),
    Direction(190.0, -35.0),
    Direction(0.0, 0.0),
    Direction(180.0, 0.0),
)
"""Twelve cameras; the first ten look from directions that no rig uses."""


def shots(
    mesh: Mesh,
    textures: Sequence[tuple[int, Tensor]],
    size: int = 256,
    directions: Sequence[Direction] = DIRECTIONS,
    *,
    lit: bool = True,
) -> list[tuple[Image8, ViewBuffers]]:
    """Pictures (size, size, 3) uint8 and what they see. textures: (number, (s, s, 3 or 4) 0..1).

    lit: a soft light beside the camera, for the eye; False shows the bare colours.
    """
    return [_shot(mesh, textures, size, direction, lit) for direction in directions]


def turntable(mesh: Mesh, textures: Sequence[tuple[int, Tensor]]) -> Image8:
    """A contact sheet of twelve pictures, four a row, no finer than the texture itself."""
    finest = max(len(image) for _, image in textures)
    size = min(_SIDE, max(_LEAST, finest))
    return contact_sheet([picture for picture, _ in shots(mesh, textures, size)], columns=4)


def _shot(
    mesh: Mesh,
    textures: Sequence[tuple[int, Tensor]],
    size: int,
    direction: Direction,
    lit: bool,
) -> tuple[Image8, ViewBuffers]:
    fine = size * _OVERSAMPLING
    view = render_view(mesh, place(mesh, direction, fine).camera)
    colour = textured_view(mesh, view, textures)[..., :3]
    if lit:
        colour = colour * _light(mesh, view)
    picture = torch.where(view.mask[..., None], colour, _GREY / 255)
    small = torch.nn.functional.avg_pool2d(picture.permute(2, 0, 1)[None], _OVERSAMPLING)
    image = (small[0].permute(1, 2, 0).clamp(0, 1) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(image.cpu().numpy()), view


def _light(mesh: Mesh, view: ViewBuffers) -> Tensor:
    """(h, w, 1) Lambert's law with much ambient light, from the upper left of the camera."""
    assert view.triangle is not None
    rotation = torch.from_numpy(view.camera.view_matrix[:3, :3]).to(view.normal)
    toward = torch.nn.functional.normalize(torch.tensor([-0.4, 0.5, 0.8]), dim=0).to(view.normal)
    normal = view.normal
    flat = normal.norm(dim=-1, keepdim=True) < 0.5
    faces = face_normals(mesh)[view.triangle.clamp(min=0)]
    amount = (torch.where(flat, faces, normal) @ (rotation.T @ toward)).clamp(0, 1)
    return (_AMBIENT + (1 - _AMBIENT) * amount)[..., None]
