"""Faces drawn into UV space: a mask of what the artist has selected. No bpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def faces_mask(uv: npt.NDArray[np.floating], size: int, *, margin: int = 2) -> Bytes:
    """(size, size) uint8, row 0 at v = 1: 255 inside the triangles of `uv` (3n, 2), and `margin`
    texels around them, so that no seam is left when the texture is filtered.

    Each texel's centre is tested against the edges (Pineda 1988), a triangle at a time.
    """
    mask = np.zeros((size, size), bool)
    for triangle in uv.astype(np.float64).reshape(-1, 3, 2) * size - 0.5:
        _fill(mask, triangle)
    return np.where(_grown(mask, margin), 255, 0).astype(np.uint8)[::-1]


def _fill(mask: npt.NDArray[np.bool_], corners: npt.NDArray[np.float64]) -> None:
    limit = len(mask) - 1
    low = np.clip(np.ceil(corners.min(0)), 0, limit).astype(int)
    high = np.clip(np.floor(corners.max(0)), 0, limit).astype(int)
    # Triangles smaller than a texel still claim the texel they lie in.
    centre = np.clip(np.round(corners.mean(0)), 0, limit).astype(int)
    mask[centre[1], centre[0]] = True
    if (high < low).any():
        return
    x = np.arange(low[0], high[0] + 1)[None, :]
    y = np.arange(low[1], high[1] + 1)[:, None]
    sides = [
        (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    ]
    inside = np.minimum.reduce(sides) >= 0
    inside |= np.maximum.reduce(sides) <= 0
    mask[low[1] : high[1] + 1, low[0] : high[0] + 1] |= inside


def _grown(mask: npt.NDArray[np.bool_], texels: int) -> npt.NDArray[np.bool_]:
    for _ in range(texels):
        wide = np.pad(mask, 1)
        mask = (
            wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
        )
    return mask
