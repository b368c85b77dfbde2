"""Which surface points a view sees, how squarely, and how far from a depth edge.

The test is a position error, not a depth comparison: the view's own world positions are sampled
bilinearly where a point lands, and compared with the point, in units of a pixel's footprint. A
footprint that mixes two surfaces fails it by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from underpaint.cameras import Camera

from ..surface.points import SurfacePoints
from .render import ViewBuffers

_STEP_PX = 8.0  # a second difference of depth above so many pixel footprints is an edge
_POINTS_AT_ONCE = {"cpu": 1 << 16, "cuda": 1 << 21}


@dataclass(frozen=True, slots=True)
class Sight:
    """What a view makes of the points it may see, M of N.

    index (M,) int64 into the points. pixel (M, 2) float32 as (x, y), centres at +0.5. cosine
    (M,) between normal and the direction to the camera. error (M,) position error in pixel
    footprints. edge (M,) pixels to the nearest silhouette, depth edge or image border.
    footprint (M,) metres that a pixel covers there.
    """

    index: Tensor
    pixel: Tensor
    cosine: Tensor
    error: Tensor
    edge: Tensor
    footprint: Tensor

    def select(self, rows: Tensor) -> Sight:
        return Sight(
            self.index[rows],
            self.pixel[rows],
            self.cosine[rows],
            self.error[rows],
            self.edge[rows],
            self.footprint[rows],
        )


@dataclass(frozen=True, slots=True)
class ViewGeometry:
    """A view made ready for `look`: its camera, and (1, 4, h, w) float32 of world position
    (relative to the camera's centre) and edge distance. clean: see `beside`."""

    camera: Camera
    image: Tensor
    clean: dict[float, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, view: ViewBuffers) -> ViewGeometry:
        eye = torch.from_numpy(view.camera.position).to(view.position)
        relative = torch.where(view.mask[..., None], view.position - eye, 0.0)
        packed = torch.cat((relative, edge_distance(view)[..., None]), -1)
        return cls(view.camera, packed.permute(2, 0, 1)[None].contiguous())

    @property
    def size(self) -> tuple[int, int]:
        return self.image.shape[2], self.image.shape[3]


def edge_distance(view: ViewBuffers) -> Tensor:
    """(h, w) float32 pixels to the nearest background, depth edge, object change or border.

    0 on edge pixels. An edge is a second difference of depth above eight pixel footprints.
    """
    safe = torch.where(view.mask, view.depth, 0.0)
    limit = _STEP_PX * pixel_footprint(view.camera, safe)
    edge = ~view.mask
    for axis in (0, 1):
        if view.mask.shape[axis] > 2:
            _mark_edges(edge, safe, limit, view.object_id, axis)
    inside = np.pad((~edge).cpu().numpy().astype(np.uint8), 1)
    return torch.from_numpy(_distance(inside)[1:-1, 1:-1].copy()).to(view.mask.device)


def _distance(inside: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels to the nearest zero, float32, the same bits in every run.

    The library's last bit depends on where the image lies in memory; squares of pixel distances
    are whole numbers, and so tell the right one (up to 2,000 px).
    """
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    square: NDArray[np.float64] = np.rint(distance.astype(np.float64) ** 2)
    return np.sqrt(square).astype(np.float32)


def _mark_edges(edge: Tensor, depth: Tensor, limit: Tensor, ids: Tensor, axis: int) -> None:
    inner = slice(1, -1)
    rows = (inner, slice(None)) if axis == 0 else (slice(None), inner)
    count = depth.shape[axis] - 2
    before, here, after = (depth.narrow(axis, start, count) for start in (0, 1, 2))
    bend = (before - 2 * here + after).abs() > limit[rows]
    id_here = ids.narrow(axis, 1, count)
    change = (ids.narrow(axis, 0, count) != id_here) | (ids.narrow(axis, 2, count) != id_here)
    edge[rows] |= bend | change


def pixel_footprint(camera: Camera, depth: Tensor) -> Tensor:
    """Metres that a pixel covers (its larger side) at a view-axis depth."""
    p = camera.projection_matrix
    per_unit = max(2 / (abs(p[0, 0]) * camera.width), 2 / (abs(p[1, 1]) * camera.height))
    return torch.full_like(depth, per_unit) if camera.orthographic else depth * per_unit


def look(points: SurfacePoints, view: ViewGeometry, least_cosine: float = 0.02) -> Sight:
    """The points that face the camera and land in its image, with the visibility measures."""
    parts = [sight for _, sight in looks(points, view, least_cosine)]
    names = ("index", "pixel", "cosine", "error", "edge", "footprint")
    return Sight(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


def looks(
    points: SurfacePoints, view: ViewGeometry, least_cosine: float = 0.02
) -> Iterator[tuple[int, Sight]]:
    """`look` in parts that fit a CPU's cache: the first point's number, and the sight of a part
    (whose `index` counts from the first of all points)."""
    step = _POINTS_AT_ONCE.get(points.position.device.type, 1 << 20)
    for at in range(0, max(1, len(points)), step):
        yield at, _look_at(points.select(slice(at, at + step)), at, view, least_cosine)


def _look_at(points: SurfacePoints, first: int, view: ViewGeometry, least: float) -> Sight:
    camera = view.camera
    eye = torch.from_numpy(camera.position).to(points.position)
    relative = (points.position - eye).T.contiguous()  # by axis: several times faster below
    cosine = _cosine(relative, points.normal, camera)
    rows = (cosine > least).nonzero()[:, 0]
    relative, cosine = relative.index_select(1, rows), cosine[rows]
    x, y, depth = _to_pixels(relative, camera)
    inside = (depth > 0) & (x > 0) & (y > 0) & (x < camera.width) & (y < camera.height)
    if not bool(inside.all()):
        kept = inside.nonzero()[:, 0]
        relative, rows, cosine = relative.index_select(1, kept), rows[kept], cosine[kept]
        x, y, depth = x[kept], y[kept], depth[kept]
    pixel = torch.stack((x, y), 1)
    sampled = sample(view.image, pixel)
    footprint = pixel_footprint(camera, depth)
    apart = sampled[:3] - relative
    error = _dot(apart, apart).sqrt_() / footprint
    return Sight(rows + first, pixel, cosine, error, sampled[3], footprint)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """(n,) products of two stacks of vectors (3, n)."""
    return torch.addcmul(torch.addcmul(a[0] * b[0], a[1], b[1]), a[2], b[2])


def _cosine(relative: Tensor, normal: Tensor, camera: Camera) -> Tensor:
    """(n,) cosines of normals (n, 3) with the directions from points (3, n) to the camera."""
    facing = normal.T.contiguous()
    if camera.orthographic:
        axis = torch.from_numpy(camera.view_matrix[2, :3]).to(normal)
        return torch.mv(normal, axis)
    length = _dot(relative, relative).sqrt_().clamp_(min=1e-30)
    return _dot(relative, facing).neg_().div_(length)


def _to_pixels(relative: Tensor, camera: Camera) -> tuple[Tensor, Tensor, Tensor]:
    """Points (3, n) relative to the camera's centre to pixels x, y and view-axis depth, (n,)."""
    matrix = camera.projection_matrix[[0, 1, 3], :3] @ camera.view_matrix[:3, :3]
    matrix = np.concatenate([matrix, -camera.view_matrix[2:3, :3]])
    x, y, w, depth = torch.from_numpy(matrix).to(relative) @ relative
    p = camera.projection_matrix[:, 3]
    if camera.orthographic:
        w = torch.ones_like(w)
    half = camera.width / 2, camera.height / 2
    x = ((x + p[0]) / w).mul_(half[0]).add_(half[0])
    y = ((y + p[1]) / w).mul_(-half[1]).add_(half[1])
    return x, y, depth


def sample(image: Tensor, pixel: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """Bilinear samples (C, N) of an image (1, C, h, w) at pixels (N, 2).

    size: (height, width) of the pixel grid the coordinates refer to; defaults to the image's.
    Outside the image the border is repeated.
    """
    height, width = size or (image.shape[2], image.shape[3])
    grid = pixel * pixel.new_tensor([2 / width, 2 / height]) - 1
    out: Tensor = torch.nn.functional.grid_sample(
        image, grid[None, None], mode="bilinear", padding_mode="border", align_corners=False
    )
    return out[0, :, 0]
