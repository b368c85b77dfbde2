"""Control images of a plane of its own: what a repeating material is painted on.

The plane fills the picture and faces the viewer; its guide repeats with the picture, so that the
material goes from edge to edge and meets itself there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.requests import ControlKind, Pattern

from ...guide import NOISE_PERIOD, guide_strength, sawtooth, solid_noise, triangle

Floats = npt.NDArray[np.float32]
Image8 = npt.NDArray[np.uint8]
_NEAREST = 255
_FACING = (128, 128, 255)
_NEUTRAL = 128.0


def flat_control(kind: ControlKind, size: tuple[int, int], pattern: Pattern) -> Image8:
    """A plane's depth, normals or guide, (h, w, 3) uint8 of `size` (h, w)."""
    if kind is ControlKind.GUIDE:
        return flat_guide(size, pattern)
    value = _NEAREST if kind is ControlKind.DEPTH else _FACING
    return np.broadcast_to(np.array(value, np.uint8), (*size, 3)).copy()


def flat_guide(size: tuple[int, int], pattern: Pattern) -> Image8:
    """A guide that repeats along both axes, with v upwards. The picture is one metre wide; the
    pattern's size is rounded so that an even number of units fits, twelve by default."""
    height, width = size
    across = _even(1 / pattern.size if pattern.size else NOISE_PERIOD)
    upward = _even(across * height / width)
    offset = np.random.default_rng(pattern.seed).uniform(0, NOISE_PERIOD, 3).astype(np.float32)
    u = np.broadcast_to(_centres(width) * across, size).astype(np.float32)
    v = np.broadcast_to(1 - _centres(height)[:, None], size).astype(np.float32) * upward
    noise = _repeating(u, v, across, upward, offset)
    u, v = u + offset[0], v + offset[2]
    strength = guide_strength(u, v, np.ones(size, np.bool_))[..., None]
    waves = np.stack((triangle(u), sawtooth(v), noise), -1) * 255
    return np.round(_NEUTRAL + (waves - _NEUTRAL) * strength).astype(np.uint8)


def _repeating(u: Floats, v: Floats, across: int, upward: int, offset: Floats) -> Floats:
    """Solid noise that repeats after `across` and `upward` units: two of its places are mixed where
    its own period does not fit, in shares that keep its contrast."""

    def at(x: Floats, y: Floats) -> Any:
        return solid_noise(np.stack((x, np.zeros_like(x), y), -1) + offset) - np.float32(0.5)

    def along_u(y: Floats) -> Any:
        if across % NOISE_PERIOD == 0:
            return at(u, y)
        turn = u / across * np.float32(np.pi / 2)
        return at(u, y) * np.cos(turn) + at(u - across, y) * np.sin(turn)

    if upward % NOISE_PERIOD == 0:
        mixed = along_u(v)
    else:
        turn = v / upward * np.float32(np.pi / 2)
        mixed = along_u(v) * np.cos(turn) + along_u(v - upward) * np.sin(turn)
    out: Floats = np.clip(mixed + 0.5, 0, 1).astype(np.float32)
    return out


def _even(units: float) -> int:
    return max(2, 2 * round(units / 2))


def _centres(count: int) -> npt.NDArray[np.float64]:
    """Pixel centres, 0..1."""
    return (np.arange(count) + 0.5) / count
