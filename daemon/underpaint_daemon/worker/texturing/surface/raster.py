"""A triangle rasteriser in plain torch: CPU and CUDA, deterministic, no licence strings.

Method: 2D homogeneous rasterisation (Olano & Greer, "Triangle Scan Conversion using 2D
Homogeneous Coordinates", 1997).  The edge functions of a triangle come from the cofactors of the
matrix of its three (x, y, w) corners, so a triangle that crosses the near plane needs no
geometric clipping: pixels in front of the plane are rejected one by one, and the plane only
serves to bound the triangle on screen.

Conventions: OpenGL clip space (-w <= x, y, z <= w), pixel centres at +0.5, row 0 at the top.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .raster_setup import edge_functions, set_up
from .raster_tiles import NOTHING, TRIANGLE_BITS, draw

_TRIANGLES_AT_ONCE = 1 << 19
_PIXELS_AT_ONCE = 1 << 19


@dataclass(frozen=True, slots=True)
class Fragments:
    """What each pixel of a rasterised image sees.

    triangle: (h, w) int64, index into ``faces``, -1 = nothing.
    barycentric: (h, w, 3) float32, perspective-correct, sums to 1 (zeros where nothing).
    depth: (h, w) float32, clip w: for a perspective camera the distance along the view axis in
        metres; 1 under an orthographic one (interpolate the view depth there). +inf = nothing.
    """

    triangle: Tensor
    barycentric: Tensor
    depth: Tensor


def rasterize(clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Fragments:
    """Rasterise triangles with a depth test on NDC z.

    clip: (V, 4) float32 or float64 clip-space positions. faces: (F, 3) int64, F < 2**25.
    size: (height, width) in pixels.  Both faces of a triangle are seen.  A pixel centre on an edge
    belongs to both neighbours (no cracks); the nearer, then the lower index wins, always the same.
    Raises ValueError on wrong shapes.
    """
    return resolve(clip, faces, nearest(clip, faces, size), size)


def nearest(clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Tensor:
    """What `rasterize` finds at each pixel, (h * w,) int64 keys for `triangle_at` and `resolve`: a
    caller that asks for few pixels resolves those alone. Raises ValueError on wrong shapes."""
    if clip.ndim != 2 or clip.shape[1] != 4 or faces.ndim != 2 or faces.shape[1] != 3:
        raise ValueError("rasterize needs clip (V, 4) and faces (F, 3)")
    if faces.shape[0] >= 1 << TRIANGLE_BITS:
        raise ValueError(f"rasterize takes at most {(1 << TRIANGLE_BITS) - 1} triangles")
    keys = torch.full((size[0] * size[1],), NOTHING, dtype=torch.int64, device=clip.device)
    for start in range(0, faces.shape[0], _TRIANGLES_AT_ONCE):
        setup = set_up(clip, faces[start : start + _TRIANGLES_AT_ONCE], start, size)
        draw(setup, keys, size)
    return keys


def triangle_at(keys: Tensor) -> Tensor:
    """The triangle of each key; -1 where there is none."""
    return torch.where(keys != NOTHING, keys & ((1 << TRIANGLE_BITS) - 1), -1)


def interpolate(fragments: Fragments, faces: Tensor, attribute: Tensor) -> Tensor:
    """Vertex attribute (V, C) at every pixel: (h, w, C), zeros where there is no surface."""
    hit = fragments.triangle >= 0
    corners = attribute[faces[fragments.triangle[hit]]]
    weights = fragments.barycentric[hit].to(attribute.dtype)
    image = attribute.new_zeros((*hit.shape, attribute.shape[1]))
    image[hit] = torch.einsum("pk,pkc->pc", weights, corners)
    return image


def _planes(clip: Tensor, faces: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Edge functions (T, 3, 3), det (T,) and the corners' clip w (T, 3), float64."""
    corners = clip[faces].double()
    return *edge_functions(corners, size), corners[..., 3]


def resolve(clip: Tensor, faces: Tensor, keys: Tensor, size: tuple[int, int]) -> Fragments:
    """The fragments that keys of `nearest` stand for."""
    triangle = triangle_at(keys)
    barycentric = torch.zeros((len(keys), 3), dtype=torch.float32, device=keys.device)
    depth = torch.full((len(keys),), torch.inf, dtype=torch.float32, device=keys.device)
    seen = (keys != NOTHING).nonzero()[:, 0]
    every = _planes(clip, faces, size) if len(faces) < len(seen) else None
    for pixels in torch.split(seen, _PIXELS_AT_ONCE):
        rows = triangle[pixels]
        if every is None:
            normals, det, w = _planes(clip, faces[rows], size)
        else:  # more pixels than triangles: once for each triangle
            normals, det, w = (part[rows] for part in every)
        x = (pixels % size[1]).double() + 0.5
        y = (pixels // size[1]).double() + 0.5
        parts = normals[..., 0] * x[:, None] + normals[..., 1] * y[:, None] + normals[..., 2]
        parts = (parts / det[:, None]).clamp(min=0)
        weights = parts / parts.sum(-1, keepdim=True).clamp(min=1e-300)
        barycentric[pixels] = weights.float()
        depth[pixels] = (weights * w).sum(-1).float()
    return Fragments(triangle.reshape(size), barycentric.reshape(*size, 3), depth.reshape(size))
