"""Decoding in the windows that a VAE learnt on.

A decoder's group norms take their statistics from all that they see. One that learnt on windows of
64 pixels sees other statistics in a whole picture, and paints even surfaces too light. So it is
given windows again, which overlap by a quarter and pass into one another there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from underpaint.requests import TileAxes

from ..tiling import axes_of

Decode = Callable[[Tensor], Tensor]
_STRIDE = 0.75
_AT_ONCE = 32


def in_windows(
    latents: Tensor, window: int, cell: int, decode: Decode, tile: TileAxes = TileAxes.OFF
) -> Tensor:
    """Latents (n, c, h, w) decoded to pictures (n, 3, h*cell, w*cell), float32.

    `window`: cells a side of what `decode` is given at once. Along axes that repeat, windows reach
    around the edge, so that nothing shows where the picture begins.
    """
    height, width = latents.shape[2:]
    across, down = axes_of(tile)
    places = [
        (row, column)
        for row in _places(height, window, wraps=down)
        for column in _places(width, window, wraps=across)
    ]
    given = torch.cat([latents[:, :, row][:, :, :, column] for row, column in places])
    seen = torch.cat([decode(part) for part in torch.split(given, _AT_ONCE)])
    picture = seen.new_zeros(len(latents), seen.shape[1], height * cell, width * cell)
    total = seen.new_zeros(height * cell, width * cell)
    for part, (row, column) in zip(torch.split(seen, len(latents)), places, strict=True):
        weight = torch.outer(_feather(len(row) * cell), _feather(len(column) * cell)).to(part)
        y, x = _pixels(row, cell)[:, None], _pixels(column, cell)
        picture[:, :, y, x] += part * weight
        total[y, x] += weight
    return picture / total


def _places(cells: int, window: int, *, wraps: bool) -> list[Tensor]:
    """Which cells of a side each window sees: evenly placed, whole windows alone."""
    length = min(window, cells)
    stride = max(1, int(length * _STRIDE))
    if wraps:
        count = math.ceil(cells / stride)
        starts = [cells * k // count for k in range(count)]
    else:
        count = math.ceil((cells - length) / stride) + 1
        starts = [(cells - length) * k // max(1, count - 1) for k in range(count)]
    return [(torch.arange(length) + start) % cells for start in starts]


def _pixels(cells: Tensor, cell: int) -> Tensor:
    return (cells[:, None] * cell + torch.arange(cell)).flatten()


def _feather(pixels: int) -> Tensor:
    """Weights of a window's pixels along a side: rising over the least overlap from either end."""
    from_end = torch.arange(pixels) + 0.5
    ramp = pixels * (1 - _STRIDE)
    return (torch.minimum(from_end, from_end.flip(0)) / ramp).clamp(max=1.0)
