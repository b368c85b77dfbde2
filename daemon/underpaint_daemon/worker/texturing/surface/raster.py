"""A triangle rasteriser in plain torch: CPU and CUDA, deterministic, no licence strings.

Method: 2D homogeneous rasterisation (Olano & Greer, "Triangle Scan Conversion using 2D
Homogeneous Coordinates", 1997).  The edge functions of a triangle come from the cofactors of the
matrix of its three (x, y, w) corners, so a triangle that crosses the near plane needs no
geometric clipping: pixels in front of the plane are rejected one by one, and the plane only
serves to bound the triangle on screen.

Conventions: OpenGL clip space (-w <= x, y, z <= w), pixel centres at +0.5, row 0 at the top.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_TRIANGLE_BITS = 25
_DEPTH_STEPS = float(1 << (62 - _TRIANGLE_BITS))
NOTHING = (1 << 63) - 1
"""The key of a pixel where no triangle is."""
_EDGE_TOLERANCE_PX = 1e-4
_LARGEST_TILE_PX = 64
_PARTITIONS = (
    (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, _LARGEST_TILE_PX),
    (4, 12, 32, _LARGEST_TILE_PX),
    (_LARGEST_TILE_PX,),
)
_GROUP_COST = 20_000  # candidate pixels that take as long as a group's calls
_TRIANGLES_AT_ONCE = 1 << 19
_PIXELS_AT_ONCE = 1 << 19
_CANDIDATES_AT_ONCE = {"cpu": 1 << 19, "cuda": 1 << 23}


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


@dataclass(frozen=True, slots=True)
class _Setup:
    """Screen-space form of a batch of triangles (float64)."""

    edges: Tensor  # (T, 3, 3) coefficients of b_i / w, linear in (x, y, 1)
    z_plane: Tensor  # (T, 3) NDC z, linear in (x, y, 1)
    index: Tensor  # (T,) int64, index into faces
    box: Tensor  # (T, 4) int64: x0, y0, width, height in pixels

    def select(self, rows: Tensor) -> "_Setup":
        return _Setup(self.edges[rows], self.z_plane[rows], self.index[rows], self.box[rows])


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
    if faces.shape[0] >= 1 << _TRIANGLE_BITS:
        raise ValueError(f"rasterize takes at most {(1 << _TRIANGLE_BITS) - 1} triangles")
    keys = torch.full((size[0] * size[1],), NOTHING, dtype=torch.int64, device=clip.device)
    for start in range(0, faces.shape[0], _TRIANGLES_AT_ONCE):
        setup = _set_up(clip, faces[start : start + _TRIANGLES_AT_ONCE], start, size)
        _draw(setup, keys, size)
    return keys


def triangle_at(keys: Tensor) -> Tensor:
    """The triangle of each key; -1 where there is none."""
    return torch.where(keys != NOTHING, keys & ((1 << _TRIANGLE_BITS) - 1), -1)


def interpolate(fragments: Fragments, faces: Tensor, attribute: Tensor) -> Tensor:
    """Vertex attribute (V, C) at every pixel: (h, w, C), zeros where there is no surface."""
    hit = fragments.triangle >= 0
    corners = attribute[faces[fragments.triangle[hit]]]
    weights = fragments.barycentric[hit].to(attribute.dtype)
    image = attribute.new_zeros((*hit.shape, attribute.shape[1]))
    image[hit] = torch.einsum("pk,pkc->pc", weights, corners)
    return image


def _to_pixels(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., 4) clip positions to homogeneous pixel coordinates (..., 3) = (x w, y w, w)."""
    x, y, w = corners[..., 0], corners[..., 1], corners[..., 3]
    return torch.stack(((x + w) * (0.5 * size[1]), (w - y) * (0.5 * size[0]), w), -1)


def _edge_functions(corners: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Coefficients (T, 3, 3) whose product with (x, y, 1) is b_i det / w, and det (T,)."""
    points = _to_pixels(corners, size)
    a, b, c = points.unbind(1)
    normals = torch.stack(
        (torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)), 1
    )
    return normals, (normals[:, 0] * a).sum(-1)


def _set_up(clip: Tensor, faces: Tensor, first: int, size: tuple[int, int]) -> _Setup:
    corners = clip.double()[faces] if clip.shape[0] < 4e6 else clip[faces].double()
    box = _screen_boxes(corners, size)
    kept = ((box[:, 2] > 0) & (box[:, 3] > 0)).nonzero()[:, 0]
    normals, det = _edge_functions(corners[kept], size)
    solid = (det.abs() > 0) & torch.isfinite(det)
    kept, normals, det = kept[solid], normals[solid], det[solid]
    edges = normals / det[:, None, None]
    z_plane = (edges * corners[kept, :, 2, None]).sum(1)
    return _Setup(edges, z_plane, kept + first, box[kept])


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
    first = torch.ceil(lower - 0.5 - _EDGE_TOLERANCE_PX).clamp(min=0).minimum(limit)
    last = torch.floor(upper - 0.5 + _EDGE_TOLERANCE_PX).clamp(min=-1).minimum(limit - 1)
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


def _draw(setup: _Setup, keys: Tensor, size: tuple[int, int]) -> None:
    """Write the triangles into the (h * w,) int64 key buffer, nearest first."""
    length = setup.edges[:, :, :2].norm(dim=-1, keepdim=True).clamp(min=1e-300)
    unit = setup.edges / length  # signed distances to the sides, in pixels
    extent = setup.box[:, 2:]
    large = (extent > _LARGEST_TILE_PX).any(1)
    for rows, tile in _tiles(extent, (~large).nonzero()[:, 0], _PARTITIONS):
        _draw_tiles(setup.select(rows), unit[rows], tile, keys, size)
    longest = max(size)
    for rows, tile in _tiles(extent, large.nonzero()[:, 0], _doubling(longest)):
        _draw_large(setup.select(rows), unit[rows], tile, keys, size)


def _doubling(longest: int) -> tuple[tuple[int, ...], ...]:
    """Partitions of the extents of large triangles: by doubling, and all alike."""
    sides = [2 * _LARGEST_TILE_PX]
    while sides[-1] < longest:
        sides.append(2 * sides[-1])
    return (tuple(sides), (sides[-1],))


def _tiles(
    extent: Tensor, rows: Tensor, partitions: Sequence[tuple[int, ...]]
) -> Iterator[tuple[Tensor, tuple[int, int]]]:
    """Group boxes (their numbers, in `rows`) by their width and height so that each group is one
    dense tensor of tiles (height, width): by that one of the partitions of the extents which
    costs least, of few triangles one with few groups."""
    if not len(rows):
        return
    wanted = extent[rows].contiguous()
    found = [_grouped(wanted, partition) for partition in partitions]
    sides, label, counts, _ = min(found, key=lambda grouped: grouped[-1])
    order, start = torch.argsort(label, stable=True), 0
    for group, count in enumerate(counts):
        tile = (sides[group % len(sides)], sides[group // len(sides)])
        step = max(1, _CANDIDATES_AT_ONCE.get(extent.device.type, 1 << 19) // (tile[0] * tile[1]))
        for at in range(start, start + count, step):
            yield rows[order[at : min(at + step, start + count)]], tile
        start += count


def _grouped(
    extent: Tensor, partition: tuple[int, ...]
) -> tuple[tuple[int, ...], Tensor, list[int], int]:
    """The sides of tiles as a partition cuts them, the largest no larger than what is there; the
    group of each box, how many each has, and what drawing them costs, in candidate pixels."""
    most = extent.amax(0).tolist()
    sides = tuple(partition[: bisect_left(partition, max(most)) + 1])
    kind = torch.bucketize(extent, torch.tensor(sides, device=extent.device))
    label = kind[:, 0] * len(sides) + kind[:, 1]
    counts = torch.bincount(label, minlength=len(sides) ** 2).tolist()
    cost = sum(
        count * sides[group // len(sides)] * sides[group % len(sides)] + _GROUP_COST
        for group, count in enumerate(counts)
        if count
    )
    return sides, label, counts, cost


def _draw_tiles(
    setup: _Setup, unit: Tensor, tile: tuple[int, int], keys: Tensor, size: tuple[int, int]
) -> None:
    x0, y0 = setup.box[:, 0], setup.box[:, 1]
    origin = torch.stack((x0 + 0.5, y0 + 0.5, torch.ones_like(x0) + 0.0), -1).to(unit.dtype)
    local = torch.cat((unit[:, :, :2], (unit * origin[:, None]).sum(-1, keepdim=True)), -1).float()
    xs = torch.arange(tile[1], device=unit.device, dtype=torch.float32)
    ys = torch.arange(tile[0], device=unit.device, dtype=torch.float32)
    a, b, c = (local[:, :, k, None] for k in range(3))
    distance = (a * xs)[:, :, None, :] + (b * ys + c)[:, :, :, None]
    inside = distance.amin(1) >= -_EDGE_TOLERANCE_PX
    which, y, x = inside.nonzero(as_tuple=True)
    x, y = x + x0[which], y + y0[which]
    ok = (x < size[1]) & (y < size[0])
    if not bool(ok.all()):
        which, x, y = which[ok], x[ok], y[ok]
    _merge(setup.z_plane[which], setup.index[which], x, y, keys, size[1])


def _draw_large(
    setup: _Setup, unit: Tensor, tile: tuple[int, int], keys: Tensor, size: tuple[int, int]
) -> None:
    x0, y0, width, height = setup.box.unbind(1)
    origin = torch.stack((x0 + 0.5, y0 + 0.5, torch.ones_like(x0) + 0.0), -1).to(unit.dtype)
    a, b = unit[:, :, :2].float().unbind(2)
    c = (unit * origin[:, None]).sum(-1).float()
    xs = torch.arange(min(tile[1], int(width.max())), device=unit.device)
    ys = torch.arange(min(tile[0], int(height.max())), device=unit.device)
    inside = (xs < width[:, None])[:, None, :] & (ys < height[:, None])[:, :, None]
    for side in range(3):
        across = a[:, side, None] * xs.float() + c[:, side, None]
        distance = (b[:, side, None] * ys.float())[:, :, None] + across[:, None, :]
        inside &= distance >= -4 * _EDGE_TOLERANCE_PX
    which, y, x = inside.nonzero(as_tuple=True)
    x, y = x + x0[which], y + y0[which]
    _merge(setup.z_plane[which], setup.index[which], x, y, keys, size[1])


def _merge(
    z_plane: Tensor, triangle: Tensor, x: Tensor, y: Tensor, keys: Tensor, width: int
) -> None:
    """Depth test: the smallest (z, triangle) key of a pixel wins."""
    z = z_plane[:, 0] * (x + 0.5) + z_plane[:, 1] * (y + 0.5) + z_plane[:, 2]
    step = ((z + 1) * (0.5 * _DEPTH_STEPS)).clamp(0, _DEPTH_STEPS - 1).long()
    key = (step << _TRIANGLE_BITS) | triangle
    key = torch.where((z >= -1 - 1e-9) & (z <= 1 + 1e-9), key, NOTHING)
    keys.scatter_reduce_(0, y * width + x, key, "amin")


def _planes(clip: Tensor, faces: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Edge functions (T, 3, 3), det (T,) and the corners' clip w (T, 3), float64."""
    corners = clip[faces].double()
    return *_edge_functions(corners, size), corners[..., 3]


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
