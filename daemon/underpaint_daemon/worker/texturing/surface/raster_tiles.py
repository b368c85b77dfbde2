"""Triangles drawn into a buffer of keys, grouped by the size of their boxes. See `raster` for the
method."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from .raster_setup import EDGE_TOLERANCE_PX, Setup

TRIANGLE_BITS = 25
"""A key's lowest bits: the triangle; those above them are its depth."""
NOTHING = (1 << 63) - 1
"""The key of a pixel where no triangle is."""
_DEPTH_STEPS = float(1 << (62 - TRIANGLE_BITS))
_LARGEST_TILE_PX = 64
_PARTITIONS = (
    (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, _LARGEST_TILE_PX),
    (4, 12, 32, _LARGEST_TILE_PX),
    (_LARGEST_TILE_PX,),
)
_GROUP_COST = 20_000  # candidate pixels that take as long as a group's calls
_CANDIDATES_AT_ONCE = {"cpu": 1 << 19, "cuda": 1 << 23}


def draw(setup: Setup, keys: Tensor, size: tuple[int, int]) -> None:
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
    setup: Setup, unit: Tensor, tile: tuple[int, int], keys: Tensor, size: tuple[int, int]
) -> None:
    x0, y0 = setup.box[:, 0], setup.box[:, 1]
    origin = torch.stack((x0 + 0.5, y0 + 0.5, torch.ones_like(x0) + 0.0), -1).to(unit.dtype)
    local = torch.cat((unit[:, :, :2], (unit * origin[:, None]).sum(-1, keepdim=True)), -1).float()
    xs = torch.arange(tile[1], device=unit.device, dtype=torch.float32)
    ys = torch.arange(tile[0], device=unit.device, dtype=torch.float32)
    a, b, c = (local[:, :, k, None] for k in range(3))
    distance = (a * xs)[:, :, None, :] + (b * ys + c)[:, :, :, None]
    inside = distance.amin(1) >= -EDGE_TOLERANCE_PX
    which, y, x = inside.nonzero(as_tuple=True)
    x, y = x + x0[which], y + y0[which]
    ok = (x < size[1]) & (y < size[0])
    if not bool(ok.all()):
        which, x, y = which[ok], x[ok], y[ok]
    _merge(setup.z_plane[which], setup.index[which], x, y, keys, size[1])


def _draw_large(
    setup: Setup, unit: Tensor, tile: tuple[int, int], keys: Tensor, size: tuple[int, int]
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
        inside &= distance >= -4 * EDGE_TOLERANCE_PX
    which, y, x = inside.nonzero(as_tuple=True)
    x, y = x + x0[which], y + y0[which]
    _merge(setup.z_plane[which], setup.index[which], x, y, keys, size[1])


def _merge(
    z_plane: Tensor, triangle: Tensor, x: Tensor, y: Tensor, keys: Tensor, width: int
) -> None:
    """Depth test: the smallest (z, triangle) key of a pixel wins."""
    z = z_plane[:, 0] * (x + 0.5) + z_plane[:, 1] * (y + 0.5) + z_plane[:, 2]
    step = ((z + 1) * (0.5 * _DEPTH_STEPS)).clamp(0, _DEPTH_STEPS - 1).long()
    key = (step << TRIANGLE_BITS) | triangle
    key = torch.where((z >= -1 - 1e-9) & (z <= 1 + 1e-9), key, NOTHING)
    keys.scatter_reduce_(0, y * width + x, key, "amin")
