"""How good a texture is, measured without any network: what each result says about itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .gather import PaintedView
from .harmonise import observe
from .lookup import textured_view, with_uv
from .mesh import Mesh
from .render import ViewBuffers, render_view
from .sampling import sample_surface
from .tiers import GENERATED, Rule
from .visibility import edge_distance

_SAMPLES = 40_000
_INSIDE_PX = 4.0
_SQUARE_COSINE = 0.7


def overlap_psnr(mesh: Mesh, views: Sequence[PaintedView], rule: Rule = GENERATED) -> float:
    """PSNR (dB, colours 0..1) between what pairs of views show of the same surface points, over
    points of the strictest tier in both. Infinite where views agree exactly, NaN without overlap.
    """
    seen = observe(sample_surface(mesh, _SAMPLES).points, views, rule)
    total, count = 0.0, 0
    for i in range(len(views)):
        for j in range(i):
            both = (seen.weight[i] > 0) & (seen.weight[j] > 0)
            error = (seen.color[i, both] - seen.color[j, both]).double()
            total += float((error * error).sum())
            count += error.numel()
    if count == 0:
        return math.nan
    return 10 * math.log10(count / total) if total > 0 else math.inf


def sharpness_ratio(
    mesh: Mesh,
    textures: Sequence[tuple[int, Tensor]],
    views: Sequence[ViewBuffers],
    pictures: Sequence[Tensor],
) -> float:
    """High-band energy (variance of the Laplacian) of the painted object over that of the views
    it was painted from, inside the outlines and where the view looks squarely (within 45 degrees):
    elsewhere foreshortened paint is finer than what the view itself could paint. textures: colours
    0..1; pictures (h, w, 3)."""
    ours, theirs = 0.0, 0.0
    for view, picture in zip(views, pictures, strict=True):
        known = with_uv(mesh, view)
        inside = (edge_distance(known) > _INSIDE_PX) & (_cosine(known) > _SQUARE_COSINE)
        if not bool(inside.any()):
            continue
        painted = _smooth_render(mesh, known, textures)
        ours += _laplacian_energy(painted, inside)
        theirs += _laplacian_energy(picture.to(painted), inside)
    return ours / theirs if theirs > 0 else math.nan


def _smooth_render(mesh: Mesh, view: ViewBuffers, textures: Sequence[tuple[int, Tensor]]) -> Tensor:
    """(h, w, 3) the painted object, each pixel the mean of 2×2 samples."""
    fine = render_view(mesh, view.camera, (2 * view.size[0], 2 * view.size[1]))
    colour = textured_view(mesh, fine, textures)[..., :3]
    small = torch.nn.functional.avg_pool2d(colour.permute(2, 0, 1)[None], 2)
    return small[0].permute(1, 2, 0)


def _cosine(view: ViewBuffers) -> Tensor:
    """(h, w) between the surface normal and the direction to the camera."""
    if view.camera.orthographic:
        axis = torch.from_numpy(view.camera.view_matrix[2, :3]).to(view.normal)
        return view.normal @ axis
    eye = torch.from_numpy(view.camera.position).to(view.position)
    toward = torch.nn.functional.normalize(eye - view.position, dim=-1)
    return (view.normal * toward).sum(-1)


def _laplacian_energy(picture: Tensor, inside: Tensor) -> float:
    image = picture.mean(-1)
    bend = -4 * image
    for axis in (0, 1):
        bend = bend + torch.roll(image, 1, axis) + torch.roll(image, -1, axis)
    return float(bend[inside].double().square().sum())
