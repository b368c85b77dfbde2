"""Ambient occlusion of a mesh: how much of the sky each point sees, from the geometry alone.

The mesh is looked at from many directions spread evenly over the sphere; a point is lit from one
where nothing lies before it in that picture (shadow maps, Williams 1978, over the hemisphere).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..surface.mesh import Mesh, face_cross, select_triangles
from ..surface.raster import interpolate, rasterize

_DIRECTIONS = 64
_SIDE = 384
_BIAS_PX = 1.5
_LEAST_COSINE = 0.05
_MARGIN = 1.02
_NOTHING = -1e30


def ambient_occlusion(
    mesh: Mesh,
    position: Tensor,
    normal: Tensor,
    *,
    directions: int = _DIRECTIONS,
    side: int = _SIDE,
    tick: Callable[[], None] | None = None,
) -> Tensor:
    """(N,) float32, 1 = sees the whole sky, 0 = none of it, weighted by the cosine.

    position, normal (N, 3): points of the surface, unit normals. Only faces turned to the light
    cast shadows, so that a room (faces inward) is lit through its walls. tick: called for each
    direction; it may raise to stop.
    """
    lit = torch.zeros(len(position), device=position.device)
    total = torch.zeros_like(lit)
    for toward in fibonacci_sphere(directions).to(position):
        if tick:
            tick()
        cosine = normal @ toward
        rows = (cosine > _LEAST_COSINE).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        weight = cosine[rows]
        total[rows] += weight
        lit[rows] += weight * _lit_from(mesh, toward, position[rows], weight, side)
    return torch.where(total > 0, lit / total.clamp(min=1e-9), 1.0)


def fibonacci_sphere(count: int) -> Tensor:
    """(count, 3) float32 unit vectors, evenly spread."""
    i = torch.arange(count) + 0.5
    z = 1 - 2 * i / count
    angle = i * math.pi * (3 - math.sqrt(5))
    ring = (1 - z * z).sqrt()
    return torch.stack([ring * angle.cos(), ring * angle.sin(), z], 1)


def _lit_from(mesh: Mesh, toward: Tensor, points: Tensor, cosine: Tensor, side: int) -> Tensor:
    """(M,) 0..1: how lit points are from a direction; soft over a pixel."""
    axes = _axes(toward)
    reach = mesh.radius * _MARGIN
    heights = _height_map(mesh, toward, axes, reach, side)
    at = (points - mesh.center) @ axes.T
    pixel = 2 * reach / side
    slope = (1 / cosine.clamp(min=_LEAST_COSINE) ** 2 - 1).sqrt()
    own = at[:, 2] + pixel * _BIAS_PX * (0.5 + slope)
    x = (at[:, 0] / reach * 0.5 + 0.5) * side - 0.5
    y = (0.5 - at[:, 1] / reach * 0.5) * side - 0.5
    left, top = x.floor(), y.floor()
    found = torch.zeros_like(own)
    for dy, share_y in ((0, 1 - (y - top)), (1, y - top)):
        for dx, share_x in ((0, 1 - (x - left)), (1, x - left)):
            row = (top.long() + dy).clamp(0, side - 1)
            column = (left.long() + dx).clamp(0, side - 1)
            found += share_x * share_y * (heights[row, column] <= own)
    return found


def _height_map(mesh: Mesh, toward: Tensor, axes: Tensor, reach: float, side: int) -> Tensor:
    """(side, side) metres along `toward` of the first surface that faces it; far down = none."""
    facing = (face_cross(mesh) @ toward.double()) > 0
    heights = torch.full((side, side), _NOTHING, device=toward.device)
    if not bool(facing.any()):
        return heights
    part = select_triangles(mesh, facing)
    local = (part.position - mesh.center).double() @ axes.T.double() / reach
    clip = torch.cat([local[:, :2], -local[:, 2:], torch.ones_like(local[:, :1])], 1)
    fragments = rasterize(clip, part.faces, (side, side))
    height = interpolate(fragments, part.faces, local[:, 2:].float() * reach)[..., 0]
    return torch.where(fragments.triangle >= 0, height, heights)


def _axes(toward: Tensor) -> Tensor:
    """(3, 3): right, up, toward."""
    helper = torch.eye(3, device=toward.device)[int(toward.abs().argmin())]
    right = torch.nn.functional.normalize(torch.linalg.cross(helper, toward), dim=0)
    return torch.stack([right, torch.linalg.cross(toward, right), toward])
