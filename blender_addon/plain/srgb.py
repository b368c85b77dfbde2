"""The sRGB curve (IEC 61966-2-1), both ways, for whole pictures. No bpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def _tables() -> tuple[Floats, Floats]:
    """The two curves as tables: powers are slow, and pictures are many numbers."""
    encoded, light = np.linspace(0, 1, 255 * 16 + 1), np.linspace(0, 1, 2**16)
    to_light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    low, high = light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055
    return to_light.astype(np.float32), np.where(light <= 0.0031308, low, high).astype(np.float32)


_LINEAR, _SRGB = _tables()


def linear(encoded: Floats) -> Floats:
    """sRGB to linear light; bytes exactly, between them to a sixteenth of one."""
    steps = (encoded.clip(0, 1) * (len(_LINEAR) - 1) + 0.5).astype(np.uint16)
    return _LINEAR[steps]


def srgb(light: Floats) -> Floats:
    """Linear light to sRGB, to a twentieth of a byte."""
    steps = (light.clip(0, 1) * (len(_SRGB) - 1) + 0.5).astype(np.uint16)
    return _SRGB[steps]
