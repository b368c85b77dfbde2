"""How a texture looks from a camera: the inverse of projecting."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..cameras.render import ViewBuffers, render_view
from ..cameras.visibility import sample
from ..surface.atlas import tile_numbers
from ..surface.mesh import Mesh


def textured_view(mesh: Mesh, view: ViewBuffers, textures: Sequence[tuple[int, Tensor]]) -> Tensor:
    """(h, w, C) float32: textures as (tile number, image (size, size, C)) seen by a rendered view;
    zeros where there is no surface or no texture. Bilinear, row 0 of an image at v = 1."""
    assert view.uv is not None
    assert view.triangle is not None
    channels = textures[0][1].shape[2]
    picture = torch.zeros((*view.size, channels), device=view.mask.device)
    owner = torch.zeros_like(view.triangle)
    owner[view.mask] = tile_numbers(mesh)[view.triangle[view.mask]]
    for number, image in textures:
        here = view.mask & (owner == number)
        picture[here] = _sampled(image.to(picture), view.uv[here])
    return picture


def _sampled(image: Tensor, uv: Tensor) -> Tensor:
    height, width = image.shape[:2]
    inside = uv - uv.floor()
    pixel = torch.stack((inside[:, 0] * width, (1 - inside[:, 1]) * height), 1)
    return sample(image.permute(2, 0, 1)[None].float().contiguous(), pixel).T


def with_uv(mesh: Mesh, view: ViewBuffers) -> ViewBuffers:
    """A view that knows UVs and triangles: captured ones are rendered again, and count only where
    the mesh is what was captured."""
    if view.uv is not None and view.triangle is not None:
        return view
    rendered = render_view(mesh, view.camera, view.size)
    near = (rendered.depth - view.depth).abs() <= 0.01 * rendered.depth.clamp(min=1e-6)
    mask = rendered.mask & view.mask & near
    return ViewBuffers(
        rendered.camera,
        rendered.position,
        rendered.normal,
        torch.where(mask, rendered.object_id, 0),
        torch.where(mask, rendered.depth, torch.inf),
        mask,
        rendered.uv,
        torch.where(mask, rendered.triangle, -1) if rendered.triangle is not None else None,
    )
