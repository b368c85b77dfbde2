"""Averaging views smooths them; this gives each view back the spread it had.

Method: variance alignment (Liu et al., VCD-Texture, ECCV 2024), per view and channel.
"""

from __future__ import annotations

import torch
from torch import Tensor


def align_variance(mixed: Tensor, own: Tensor, mask: Tensor, strength: float = 1.0) -> Tensor:
    """`mixed` (1, C, h, w) stretched about its mean to the standard deviation of `own`, over
    mask (h, w) bool; outside it stays. strength: 0 leaves it, 1 aligns fully."""
    if strength == 0 or int(mask.sum()) < 2:
        return mixed
    inside, before = mixed[0, :, mask], own[0, :, mask]
    mean = inside.mean(1, keepdim=True)
    gain = before.std(1, keepdim=True) / inside.std(1, keepdim=True).clamp(min=1e-6)
    # Where averaging left nothing there is nothing to stretch but rounding.
    gain = 1 + strength * (gain.clamp(max=2.0) - 1)
    result = mixed.clone()
    result[0, :, mask] = mean + (inside - mean) * gain
    return result


def spread(image: Tensor, mask: Tensor) -> Tensor:
    """(C,) standard deviations of an image (1, C, h, w) over mask (h, w)."""
    deviation: Tensor = torch.std(image[0, :, mask], dim=1)
    return deviation
