"""Faces drawn into UV space: a mask of what the artist has selected. No bpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
_AT_ONCE = 1_000_000


def faces_mask(uv: npt.NDArray[np.floating], size: int, *, margin: int = 2) -> Bytes:
    """(size, size) uint8, row 0 at v = 1: 255 inside the triangles of `uv` (3n, 2), and `margin`
    texels around them, so that no seam is left when the texture is filtered.

    Each texel's centre is tested against the edges (Pineda 1988), triangles of like size at once.
    """
    mask = np.zeros((size, size), bool)
    corners = uv.astype(np.float64).reshape(-1, 3, 2) * size - 0.5
    low = np.ceil(corners.min(axis=1)).astype(np.int64)
    extent = (np.floor(corners.max(axis=1)).astype(np.int64) - low).max(axis=1) + 1
    # Triangles smaller than a texel still claim the texel they lie in.
    centre = np.clip(np.round(corners.mean(axis=1)), 0, size - 1).astype(np.int64)
    mask[centre[:, 1], centre[:, 0]] = True
    box = 1
    while box < 2 * max(1, extent.max(initial=0)):
        alike = np.flatnonzero((extent > box // 2) & (extent <= box))
        step = max(1, _AT_ONCE // (box * box))
        for first in range(0, len(alike), step):
            chosen = alike[first : first + step]
            _fill(mask, corners[chosen], low[chosen], box)
        box *= 2
    return np.where(_grown(mask, margin), 255, 0).astype(np.uint8)[::-1]


def _fill(
    mask: npt.NDArray[np.bool_],
    corners: npt.NDArray[np.float64],
    low: npt.NDArray[np.int64],
    box: int,
) -> None:
    """Draw triangles whose texels lie in `box` × `box` from `low` on."""
    y, x = np.mgrid[:box, :box]
    x, y = low[:, :1, None] + x, low[:, 1:, None] + y
    a, b = corners, np.roll(corners, -1, axis=1)
    run, rise = (b - a)[..., 0], (b - a)[..., 1]
    sides = [
        run[:, i, None, None] * (y - a[:, i, 1, None, None])
        - rise[:, i, None, None] * (x - a[:, i, 0, None, None])
        for i in range(3)
    ]
    inside = (np.minimum.reduce(sides) >= 0) | (np.maximum.reduce(sides) <= 0)
    inside &= (x >= 0) & (y >= 0) & (x < len(mask)) & (y < len(mask))
    mask[y[inside], x[inside]] = True


def _grown(mask: npt.NDArray[np.bool_], texels: int) -> npt.NDArray[np.bool_]:
    for _ in range(texels):
        wide = np.pad(mask, 1)
        mask = (
            wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
        )
    return mask
