"""The sRGB curve (IEC 61966-2-1) on tensors, exact; `underpaint.srgb` has it for arrays."""

from __future__ import annotations

import torch
from torch import Tensor


def linear(encoded: Tensor) -> Tensor:
    """sRGB 0..1 to linear light 0..1; values outside are clipped."""
    value = encoded.clamp(0, 1)
    return torch.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def srgb(light: Tensor) -> Tensor:
    """Linear light 0..1 to sRGB 0..1; values outside are clipped."""
    value = light.clamp(0, 1)
    return torch.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
