"""UDIM tiles: the numbered unit squares of UV space. No bpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FIRST_TILE = 1001
_COLUMNS, _ROWS = 10, 100
Ints = npt.NDArray[np.int64]


def cells(uv: npt.NDArray[np.floating]) -> Ints:
    """The squares (n, 2) that triangles lie in, from their corners' UVs (3n, 2)."""
    middle = uv.reshape(-1, 3, 2).astype(np.float64).mean(axis=1)
    return np.asarray(np.floor(middle), np.int64)


def tile_numbers(cell: Ints) -> Ints:
    """UDIM numbers of squares (n, 2); what lies outside every tile repeats the first."""
    column, row = cell[:, 0], cell[:, 1]
    inside = (column >= 0) & (column < _COLUMNS) & (row >= 0) & (row < _ROWS)
    return np.where(inside, FIRST_TILE + column + _COLUMNS * row, FIRST_TILE)


def cell_of(number: int | Ints) -> Ints:
    """The squares (..., 2) of UDIM numbers."""
    row, column = np.divmod(np.asarray(number) - FIRST_TILE, _COLUMNS)
    return np.stack([column, row], axis=-1)
