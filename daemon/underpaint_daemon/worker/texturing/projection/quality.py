"""How good a texture is, measured without any network: what each result says about itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..cameras.render import ViewBuffers, render_view
from ..cameras.visibility import ViewGeometry, edge_distance, look
from ..surface.mesh import Mesh
from ..surface.points import SurfacePoints
from ..surface.sampling import sample_surface
from .gather import PaintedView
from .harmonise import observe
from .lookup import textured_view, with_uv
from .tiers import GENERATED, Rule

_SAMPLES = 40_000
_INSIDE_PX = 4.0
_SQUARE_COSINE = 0.7
_STENCIL_PX = 2  # of the Laplacian, one, and of the means before it, one
_SAME_PLACE = 1.0  # pixel footprints


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
    it was painted from. Each place counts once, in the view that looks at it most squarely, inside
    that view's outlines and within 45 degrees: another view shows the same paint foreshortened,
    finer than anything it painted itself. textures: colours 0..1; pictures (h, w, 3).

    Both sides have the same band limit: a pixel is the mean of 2×2 samples, of the texture and of
    the view between its pixels (bicubic). Averaging the texture's alone would smooth it and not the
    view: of generated views, whose grain is a pixel or two wide, not even the views themselves
    would keep more than three quarters of their energy. An atlas of true colours reads 1 beside
    photographs; pictures of noise two pixels wide, each texel looked up in one of them, read 0.85.
    """
    known = [with_uv(mesh, view) for view in views]
    geometry = [ViewGeometry.of(view) for view in known]
    ours, theirs = 0.0, 0.0
    for number, (view, picture) in enumerate(zip(known, pictures, strict=True)):
        best = _squarest(view, number, geometry)
        if not bool(best.any()):
            continue
        painted = _smooth_render(mesh, view, textures)
        ours += _laplacian_energy(painted, best)
        theirs += _laplacian_energy(_smooth(picture.to(painted)), best)
    return ours / theirs if theirs > 0 else math.nan


def _squarest(view: ViewBuffers, number: int, others: Sequence[ViewGeometry]) -> Tensor:
    """(h, w) bool: well inside the outlines and seen squarely, by no other view more so, and so are
    all pixels about it that the measure mixes: where one view's paint meets another's there is a
    seam, not sharpness. number: the view's own among `others`."""
    cosine = _cosine(view)
    inside = (edge_distance(view) > _INSIDE_PX) & (cosine > _SQUARE_COSINE)
    points = SurfacePoints(view.position[inside], view.normal[inside], view.object_id[inside])
    own = cosine[inside]
    best = torch.ones_like(own, dtype=torch.bool)
    for other, geometry in enumerate(others):
        if other == number:
            continue
        sight = look(points, geometry, _SQUARE_COSINE)
        rows = (sight.error < _SAME_PLACE) & (sight.edge > _INSIDE_PX)
        rows &= sight.cosine > own[sight.index]
        best[sight.index[rows]] = False
    result = torch.zeros_like(inside)
    result[inside] = best
    return _shrunk(result, _STENCIL_PX)


def _shrunk(mask: Tensor, by: int) -> Tensor:
    """(h, w) bool: what of a mask is farther than `by` pixels from all that is not in it."""
    outside = (~mask).float()[None, None]
    near = torch.nn.functional.max_pool2d(outside, 2 * by + 1, 1, by)[0, 0]
    return near == 0


def _smooth_render(mesh: Mesh, view: ViewBuffers, textures: Sequence[tuple[int, Tensor]]) -> Tensor:
    """(h, w, 3) the painted object, each pixel the mean of 2×2 samples."""
    fine = render_view(mesh, view.camera, (2 * view.size[0], 2 * view.size[1]))
    return _halved(textured_view(mesh, fine, textures)[..., :3].permute(2, 0, 1)[None])


def _smooth(picture: Tensor) -> Tensor:
    """(h, w, 3) a picture, each pixel the mean of 2×2 samples between its own."""
    image = picture.permute(2, 0, 1)[None]
    return _halved(
        torch.nn.functional.interpolate(image, scale_factor=2, mode="bicubic", align_corners=False)
    )


def _halved(image: Tensor) -> Tensor:
    """An image (1, C, 2h, 2w) as (h, w, C)."""
    return torch.nn.functional.avg_pool2d(image, 2)[0].permute(1, 2, 0)


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
