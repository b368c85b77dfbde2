"""What is already on the mesh: the existing texture of each tile, and what of it stays.

Locked texels come back bit for bit. Beside them new paint fades in over some texels of surface,
measured in space: so it also does across the cuts of the UV map, and not between islands that are
only neighbours in the map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from underpaint.buffers import BufferRef
from underpaint.requests import TextureRequest

from ..surface.atlas import FIRST_TILE, AtlasTile
from .pictures import Image8

Array = npt.NDArray[Any]
_LOCKED = 255


@dataclass(frozen=True, slots=True)
class ExistingTile:
    """One tile: base (size, size, 4) uint8, alpha 0 = not painted; lock (size, size) uint8, 255 =
    stays, None = all is open."""

    number: int
    base: Image8
    lock: Image8 | None

    @property
    def openness(self) -> npt.NDArray[np.float32]:
        """(size, size) float32: 1 may be painted, 0 stays."""
        if self.lock is None:
            return np.ones(self.base.shape[:2], np.float32)
        return (1 - self.lock / _LOCKED).astype(np.float32)

    def texture(self, device: torch.device) -> tuple[int, Tensor]:
        """The base as (number, (size, size, 4) float32 0..1)."""
        return self.number, torch.tensor(self.base, device=device).float() / 255

    def opening(self, device: torch.device) -> tuple[int, Tensor]:
        """The openness as (number, (size, size, 1) float32)."""
        return self.number, torch.tensor(self.openness, device=device)[..., None]


@dataclass(frozen=True, slots=True)
class Existing:
    """All tiles of a mesh that has a texture already; none when it has not."""

    tiles: tuple[ExistingTile, ...] = ()

    @classmethod
    def of(
        cls, request: TextureRequest, arrays: Mapping[str, Array], numbers: Sequence[int]
    ) -> Existing:
        """The request's base and locks; tiles `numbers` of the mesh without any are bare."""
        given = {tile.number: (tile.base, tile.lock) for tile in request.more_tiles}
        if request.base is not None:
            given[FIRST_TILE] = (request.base, request.lock)
        if not given:
            return cls()
        return cls(tuple(_tile(n, given.get(n), arrays, request.size) for n in numbers))

    def __bool__(self) -> bool:
        return bool(self.tiles)

    @property
    def locked(self) -> bool:
        """Whether anything is to stay."""
        return any(tile.lock is not None and bool(tile.lock.any()) for tile in self.tiles)

    def tile(self, number: int) -> ExistingTile | None:
        return next((tile for tile in self.tiles if tile.number == number), None)

    def opened_only(self, openness: Mapping[int, Array]) -> Existing:
        """The same, locked besides wherever openness (size, size) of a tile is 0."""
        return Existing(
            tuple(
                replace(tile, lock=_as_lock(np.minimum(tile.openness, openness[tile.number])))
                for tile in self.tiles
            )
        )


def _tile(
    number: int,
    given: tuple[BufferRef, BufferRef | None] | None,
    arrays: Mapping[str, Array],
    size: int,
) -> ExistingTile:
    if given is None:
        return ExistingTile(number, np.zeros((size, size, 4), np.uint8), None)
    base, lock = arrays[given[0].sha256], None if given[1] is None else arrays[given[1].sha256]
    if base.shape[2] == 3:
        base = np.dstack([base, np.full(base.shape[:2], 255, np.uint8)])
    return ExistingTile(number, np.ascontiguousarray(base), lock)


def _as_lock(openness: Array) -> Image8:
    return ((1 - openness) * _LOCKED).round().astype(np.uint8)


def new_paint(
    existing: Existing, atlas: Sequence[AtlasTile], feather: int
) -> dict[int, npt.NDArray[np.float32]]:
    """How much of each texel is to be new paint, (size, size) float32 by tile: its openness, less
    within `feather` texels of what stays."""
    rims = [_locked_beside_open(existing, tile, feather) for tile in atlas]
    points = np.concatenate(rims) if rims else np.zeros((0, 3))
    tree = cKDTree(points) if len(points) and feather else None
    return {tile.number: _weights(existing, tile, tree, feather) for tile in atlas}


def _weights(
    existing: Existing, tile: AtlasTile, tree: Any, feather: int
) -> npt.NDArray[np.float32]:
    own = existing.tile(tile.number)
    if own is None:
        return np.ones((tile.size, tile.size), np.float32)
    weight = own.openness
    if tree is None:
        return weight
    index = tile.index.cpu().numpy()
    rows = weight.reshape(-1)[index] > 0
    at = tile.points.position.cpu().numpy()[rows]
    pitch = tile.pitch.cpu().numpy()[rows]
    distance, _ = tree.query(at, distance_upper_bound=float(feather * pitch.max(initial=0.0)))
    weight.reshape(-1)[index[rows]] *= np.clip(distance / pitch / (feather + 1), 0, 1)
    return weight


def _locked_beside_open(existing: Existing, tile: AtlasTile, feather: int) -> Array:
    """Places (N, 3) of locked texels that open ones may lie beside: those close to open ones in
    the map, and those along the islands' rims."""
    own = existing.tile(tile.number)
    if own is None or own.lock is None:
        return np.zeros((0, 3))
    index = tile.index[tile.core].cpu().numpy()
    surface = np.zeros((tile.size, tile.size), np.uint8)
    surface.reshape(-1)[index] = 1
    locked = own.lock == _LOCKED
    beside = cv2.dilate(
        ((surface == 0) | ~locked).astype(np.uint8),
        np.ones((2 * feather + 3, 2 * feather + 3), np.uint8),
    )
    chosen = (locked & (beside > 0)).reshape(-1)[index]
    return np.asarray(tile.points.position[tile.core].cpu().numpy()[chosen])
