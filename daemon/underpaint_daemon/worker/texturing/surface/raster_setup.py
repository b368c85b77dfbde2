"""Triangles as the rasteriser wants them: their edge functions on the screen, and the box of pixels
that each may cover. See `raster` for the method."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

EDGE_TOLERANCE_PX = 1e-4


@dataclass(frozen=True, slots=True)
class Setup:
    """Screen-space form of a batch of triangles (float64)."""

    edges: Tensor  # (T, 3, 3) coefficients of b_i / w, linear in (x, y, 1)
    z_plane: Tensor  # (T, 3) NDC z, linear in (x, y, 1)
    index: Tensor  # (T,) int64, index into faces
    box: Tensor  # (T, 4) int64: x0, y0, width, height in pixels

    def select(self, rows: Tensor) -> Setup:
        return Setup(self.edges[rows], self.z_plane[rows], self.index[rows], self.box[rows])


def set_up(clip: Tensor, faces: Tensor, first: int, size: tuple[int, int]) -> Setup:
    """Of triangles (T, 3) that are on the screen. `first`: the number of the first of them."""
    corners = clip.double()[faces] if clip.shape[0] < 4e6 else clip[faces].double()
    box = _screen_boxes(corners, size)
    kept = ((box[:, 2] > 0) & (box[:, 3] > 0)).nonzero()[:, 0]
    normals, det = edge_functions(corners[kept], size)
    solid = (det.abs() > 0) & torch.isfinite(det)
    kept, normals, det = kept[solid], normals[solid], det[solid]
    edges = normals / det[:, None, None]
    z_plane = (edges * corners[kept, :, 2, None]).sum(1)
    return Setup(edges, z_plane, kept + first, box[kept])


def edge_functions(corners: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Coefficients (T, 3, 3) whose product with (x, y, 1) is b_i det / w, and det (T,)."""
    points = _to_pixels(corners, size)
    a, b, c = points.unbind(1)
    normals = torch.stack(
        (torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)), 1
    )
    return normals, (normals[:, 0] * a).sum(-1)


def _to_pixels(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., 4) clip positions to homogeneous pixel coordinates (..., 3) = (x w, y w, w)."""
    x, y, w = corners[..., 0], corners[..., 1], corners[..., 3]
    return torch.stack(((x + w) * (0.5 * size[1]), (w - y) * (0.5 * size[0]), w), -1)


def _screen_boxes(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """Pixel boxes (T, 4) of the part of each triangle in front of the near plane."""
    points = _to_pixels(corners, size)
    front = corners[..., 2] + corners[..., 3]
    visible = (front >= 0) & (points[..., 2] > 0)
    lower, upper = _bounds(points, visible)
    crossing = (visible.any(1) & ~visible.all(1)).nonzero()[:, 0]
    if len(crossing):
        at, used = _near_plane_points(points[crossing], front[crossing])
        low, high = _bounds(at, used)
        lower[crossing] = torch.minimum(lower[crossing], low)
        upper[crossing] = torch.maximum(upper[crossing], high)
    limit = torch.tensor([size[1], size[0]], device=corners.device, dtype=torch.float64)
    first = torch.ceil(lower - 0.5 - EDGE_TOLERANCE_PX).clamp(min=0).minimum(limit)
    last = torch.floor(upper - 0.5 + EDGE_TOLERANCE_PX).clamp(min=-1).minimum(limit - 1)
    extent = torch.nan_to_num(last - first + 1, nan=0.0).clamp(min=0)
    return torch.cat((torch.nan_to_num(first), extent), 1).long()


def _bounds(points: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
    flat = points[..., :2] / points[..., 2:].clamp(min=1e-12)
    lower = torch.where(used[..., None], flat, torch.inf).amin(1)
    upper = torch.where(used[..., None], flat, -torch.inf).amax(1)
    return lower, upper


def _near_plane_points(points: Tensor, front: Tensor) -> tuple[Tensor, Tensor]:
    """Where the three sides of each triangle meet the near plane, and which of them do."""
    ahead, front_ahead = points.roll(-1, 1), front.roll(-1, 1)
    crosses = (front >= 0) != (front_ahead >= 0)
    t = front / torch.where(crosses, front - front_ahead, torch.ones_like(front))
    return points + (ahead - points) * t[..., None], crosses
