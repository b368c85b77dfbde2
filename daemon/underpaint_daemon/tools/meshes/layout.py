"""Where surfaces lie in a job: each has a UV space of its own; those that use the same UDIM tile
for different faces get tiles of their own in the job, and go back to theirs afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.meshes.normals import uv_double_areas

Array = npt.NDArray[Any]
FIRST_TILE, LAST_TILE = 1001, 2000
_ACROSS, _DOWN = 10, 100
_AT_ONCE = 1 << 15  # triangles
_REPEATS = 0.1  # of a surface's UV area over the borders of tiles: it repeats one picture


def cells(uv: Array) -> Array:
    """(L, 2) int64: the unit square that the middle of each UV triangle (3L, 2) lies in."""
    middle = uv.reshape(-1, 3, 2).mean(axis=1, dtype=np.float32)
    np.nan_to_num(middle, copy=False)
    return np.asarray(np.floor(middle.clip(-1e9, 1e9)), np.int64)


def tile_numbers(uv: Array) -> Array:
    """(L,) int32 UDIM numbers of UV triangles (3L, 2); those outside all tiles repeat 1001, as
    when they are painted."""
    numbers = np.empty(len(uv) // 3, np.int32)
    for at in range(0, len(numbers), _AT_ONCE):
        cell = cells(uv[3 * at : 3 * (at + _AT_ONCE)])
        inside = (cell >= 0).all(axis=1) & (cell[:, 0] < _ACROSS) & (cell[:, 1] < _DOWN)
        number = np.where(inside, FIRST_TILE + cell[:, 0] + _ACROSS * cell[:, 1], FIRST_TILE)
        numbers[at : at + _AT_ONCE] = number
    return numbers


def _pairs(surface: Array, number: Array, given: Array) -> Array:
    """(n, 2) int64: the surfaces (L,) and the tiles (L,) that they use, ascending."""
    keys = [np.zeros(0, np.int64)]
    for at in range(0, len(surface), _AT_ONCE):
        part = slice(at, at + _AT_ONCE)
        here = given[part]
        keys.append(np.unique(surface[part][here].astype(np.int64) << 32 | number[part][here]))
    found = np.unique(np.concatenate(keys))
    return np.stack([found >> 32, found & 0xFFFFFFFF], axis=1)


def cell_of(number: int) -> tuple[int, int]:
    """The lower corner of a tile."""
    return (number - FIRST_TILE) % _ACROSS, (number - FIRST_TILE) // _ACROSS


@dataclass(frozen=True, slots=True)
class Layout:
    """uv (3L, 2): the job's, NaN or infinite where there is none yet. own: the artist's tile of
    each tile of the job."""

    uv: Array
    own: dict[int, int]


def repeating(uv: Array, surface: Array) -> Array:
    """(L,) bool: triangles (3L, 2) of surfaces (L,) that lie across the borders of tiles, as where
    a floor repeats one picture: their tiles are no UDIM tiles, and all are the same."""
    count = int(surface.max(initial=0)) + 1
    over, whole = np.zeros(count), np.zeros(count)
    for at in range(0, len(surface), _AT_ONCE):
        corners = np.nan_to_num(uv[3 * at : 3 * (at + _AT_ONCE)])
        here = surface[at : at + _AT_ONCE]
        area = np.abs(uv_double_areas(corners))
        over += np.bincount(here, area * (1 - _inside(corners)), count)
        whole += np.bincount(here, area, count)
    return np.asarray((over > _REPEATS * whole)[surface])


def _inside(uv: Array) -> Array:
    """(L,): of the bounds of UV triangles (3L, 2), the share in the square of their middles."""
    corners, cell = uv.reshape(-1, 3, 2), cells(uv)
    low, high = corners.min(axis=1), corners.max(axis=1)
    inside = (np.minimum(high, cell + 1) - np.maximum(low, cell)).clip(0)
    return np.asarray((inside / np.maximum(high - low, 1e-12)).prod(axis=1))


def lay_out(uv: Array, surface: Array) -> Layout:
    """The job's UVs of triangles (3L, 2) that belong to surfaces (L,): the given array, changed
    only where two surfaces share a tile. Raises RequestError(BAD_MESH) when there are not tiles
    enough."""
    given: Array = np.asarray(np.isfinite(uv).reshape(-1, 6).all(axis=1))
    number = tile_numbers(uv)
    again = repeating(uv, surface) & given & (number != FIRST_TILE)
    number[again] = FIRST_TILE
    pairs = _pairs(surface, number, given)
    if len(np.unique(pairs[:, 1])) == len(pairs) and not again.any():
        return Layout(uv, {int(tile): int(tile) for _, tile in pairs})
    if len(pairs) > LAST_TILE - FIRST_TILE:
        raise RequestError(
            ErrorCode.BAD_MESH,
            f"its materials use {len(pairs)} texture images; the limit is {LAST_TILE - FIRST_TILE}",
            hint="Merge materials, or paint its objects one by one.",
        )
    cell, own = cells(uv), dict[int, int]()
    for job, (group, tile) in enumerate(pairs.tolist(), FIRST_TILE):
        here = given & (surface == group) & (number == tile)
        shift = np.array(cell_of(job)) - cell[here]
        uv[here.repeat(3)] += shift.repeat(3, axis=0).astype(np.float32)
        own[job] = tile
    return Layout(uv, own)
