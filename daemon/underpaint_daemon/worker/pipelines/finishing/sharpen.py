"""A light sharpening of finished pictures, for models whose decoder leaves them soft."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from underpaint.requests import TileAxes

_SPREAD = 1.2  # px, standard deviation
_REACH = 4  # px


def sharpened(pictures: Tensor, amount: float, tile: TileAxes = TileAxes.OFF) -> Tensor:
    """Pictures (n, 3, h, w), 0–1, with `amount` times what a blur of 1.2 px takes from them put on
    (an unsharp mask); around the edges of axes that repeat as well. 0 leaves them as they are."""
    if amount <= 0:
        return pictures
    soft = _blurred(_blurred(pictures, TileAxes.X, tile), TileAxes.Y, tile)
    return (pictures + amount * (pictures - soft)).clamp(0, 1)


def _blurred(pictures: Tensor, axis: TileAxes, tile: TileAxes) -> Tensor:
    across = axis is TileAxes.X
    mode = "circular" if tile in (axis, TileAxes.XY) else "replicate"
    margins = (_REACH, _REACH, 0, 0) if across else (0, 0, _REACH, _REACH)
    offsets = torch.arange(-_REACH, _REACH + 1, dtype=pictures.dtype, device=pictures.device)
    weights = torch.exp(-0.5 * (offsets / _SPREAD) ** 2)
    shape = (1, 1, 1, -1) if across else (1, 1, -1, 1)
    kernel = (weights / weights.sum()).view(shape).expand(pictures.shape[1], -1, -1, -1)
    padded = F.pad(pictures, margins, mode=mode)
    return F.conv2d(padded, kernel, groups=pictures.shape[1])
