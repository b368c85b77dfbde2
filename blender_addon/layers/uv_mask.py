"""Faces drawn into UV space: what the artist has selected, or a number of each corner. No bpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]
_NO_AREA = 1e-12
_AT_ONCE = 1_000_000


def faces_mask(uv: npt.NDArray[np.floating], size: int, *, margin: int = 2) -> Bytes:
    """(size, size) uint8, row 0 at v = 1: 255 inside the triangles of `uv` (3n, 2), and `margin`
    texels around them, so that no seam is left when the texture is filtered.

    Each texel's centre is tested against the edges (Pineda 1988), triangles of like size at once.
    """
    mask = np.zeros((size, size), bool)

    def inside(x: Ints, y: Ints, _weights: Weights, _chosen: Ints) -> None:
        mask[y, x] = True

    centre = _visit(uv, size, inside)
    # Triangles smaller than a texel still claim the texel they lie in.
    mask[centre[:, 1], centre[:, 0]] = True
    return np.where(_grown(mask, margin), 255, 0).astype(np.uint8)[::-1]


def corner_values(
    uv: npt.NDArray[np.floating], value: npt.NDArray[np.floating], size: int, *, margin: int = 2
) -> npt.NDArray[np.float32]:
    """(size, size) float32, row 0 at v = 1: what lies between the values (3n,) of the corners
    inside the triangles of `uv` (3n, 2) and `margin` texels around them; NaN elsewhere."""
    out = np.full((size, size), np.nan, np.float32)
    of = value.reshape(-1, 3)

    def inside(x: Ints, y: Ints, weights: Weights, chosen: Ints) -> None:
        out[y, x] = (weights * of[chosen]).sum(axis=1)

    centre = _visit(uv, size, inside)
    lost = np.isnan(out[centre[:, 1], centre[:, 0]])
    out[centre[lost, 1], centre[lost, 0]] = of.mean(axis=1)[lost]
    for _ in range(margin):
        wide = np.pad(out, 1, constant_values=np.nan)
        for beside in (wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]):
            out = np.where(np.isnan(out), beside, out)
    return out[::-1]


def _visit(
    uv: npt.NDArray[np.floating], size: int, inside: Callable[[Ints, Ints, Weights, Ints], None]
) -> Ints:
    """Call `inside` with the texels in triangles, their weights by corner, and which triangles
    they are; the texel (n, 2) that each triangle's middle lies in."""
    corners = uv.astype(np.float64).reshape(-1, 3, 2) * size - 0.5
    low = np.ceil(corners.min(axis=1)).astype(np.int64)
    extent = (np.floor(corners.max(axis=1)).astype(np.int64) - low).max(axis=1) + 1
    box = 1
    while box < 2 * max(1, extent.max(initial=0)):
        alike = np.flatnonzero((extent > box // 2) & (extent <= box))
        step = max(1, _AT_ONCE // (box * box))
        for first in range(0, len(alike), step):
            chosen = alike[first : first + step]
            x, y, weights, which = _texels(size, corners[chosen], low[chosen], box)
            inside(x, y, weights, chosen[which])
        box *= 2
    return np.clip(np.round(corners.mean(axis=1)), 0, size - 1).astype(np.int64)


def _texels(
    size: int, corners: npt.NDArray[np.float64], low: Ints, box: int
) -> tuple[Ints, Ints, Weights, Ints]:
    """The texels in triangles that lie in `box` × `box` from `low` on."""
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
    inside &= (x >= 0) & (y >= 0) & (x < size) & (y < size)
    # Across from each corner lies the edge after it: the area on its side is the corner's share.
    share = np.stack([sides[1][inside], sides[2][inside], sides[0][inside]], axis=1)
    whole = share.sum(axis=1, keepdims=True)
    even = np.full_like(share, 1 / 3)
    weights = np.divide(share, whole, out=even, where=np.abs(whole) > _NO_AREA)
    return x[inside], y[inside], weights, np.nonzero(inside)[0]


def _grown(mask: npt.NDArray[np.bool_], texels: int) -> npt.NDArray[np.bool_]:
    for _ in range(texels):
        wide = np.pad(mask, 1)
        mask = (
            wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
        )
    return mask
