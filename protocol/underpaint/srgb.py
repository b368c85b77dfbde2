"""The sRGB curve (IEC 61966-2-1), both ways, exact. Shapes and float dtypes stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def linear(encoded: Array) -> Array:
    """sRGB 0..1 to linear light 0..1; values outside are clipped."""
    value = encoded.clip(0, 1)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(
        value.dtype, copy=False
    )


def srgb(light: Array) -> Array:
    """Linear light 0..1 to sRGB 0..1; values outside are clipped."""
    value = light.clip(0, 1)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055).astype(
        value.dtype, copy=False
    )
