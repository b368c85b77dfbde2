"""The guide: where on its surface each pixel lies, as an RGB control image.

Depth tells a denoiser the form, the guide tells it where a pattern sits on it, so that the courses
of bricks are the same from every side, at a scale that the artist chooses:

* red, a triangle wave of the pattern coordinate u: 0 at even u, 1 at odd u;
* green, a sawtooth of v that rises upwards and jumps at even v: rows, their parity, and up;
* blue, solid noise of four octaves, features from two units down to a quarter.

One unit is `pattern_size` metres, about the height of a course of bricks. Where there is no
surface all three are 128; where a unit is too small on the screen to be drawn, red is 127 and the
others 128, so that a surface is told from none. Training of the
starter model paints its materials as functions of the same three (`guide_fields`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

NOISE_PERIOD = 12  # pattern units after which the noise repeats, along each axis
NEUTRAL = 128
_SPACINGS = (2.0, 1.0, 0.5, 0.25)  # of the octaves' lattices, in pattern units
_GAINS = (1.0, 0.8, 0.62, 0.45)
_CELLS = 96  # samples of the noise a period
_SPREAD = 0.2  # standard deviation of the noise around 0.5
_TOP = 0.85  # how much less a normal's z counts: slopes keep their courses level
_FADE = (0.16, 0.3)  # pattern units a pixel between which the guide fades

Floats = npt.NDArray[np.float32]
Image8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class GuideFields:
    """Pattern coordinates u, v and noise 0..1, each of the shape of the points."""

    u: Floats
    v: Floats
    noise: Floats


def guide_control(
    position: npt.NDArray[Any],
    normal: npt.NDArray[Any],
    pattern_size: float,
    seed: int = 0,
    uv: npt.NDArray[Any] | None = None,
) -> Image8:
    """The guide of a view as (h, w, 3) uint8.

    `position`: (h, w, 3) metres, +Z up, of the world or of the object, not finite = background.
    `normal`: (h, w, 3) in the same axes. `pattern_size`: metres a pattern unit, > 0. `seed` moves
    the pattern. `uv`: (h, w, 2) pattern coordinates to use instead of the projected ones, as a
    mesh's own UVs times the units that its texture is wide.
    """
    seen = np.isfinite(position).all(-1)
    points = np.where(seen[..., None], position, 0.0)
    fields = guide_fields(points, normal, pattern_size, seed, uv)
    strength = np.where(seen, guide_strength(fields.u, fields.v, seen), 0.0)[..., None]
    waves = np.stack((triangle(fields.u), sawtooth(fields.v), fields.noise), -1) * 255
    guide = np.round(NEUTRAL + (waves - NEUTRAL) * strength).astype(np.uint8)
    guide[seen & (guide == NEUTRAL).all(-1), 0] = NEUTRAL - 1
    return guide


def guide_fields(
    position: npt.NDArray[Any],
    normal: npt.NDArray[Any],
    pattern_size: float,
    seed: int = 0,
    uv: npt.NDArray[Any] | None = None,
) -> GuideFields:
    """u, v and noise at (..., 3) surface points. The arguments are `guide_control`'s.

    Points are projected along the main axis of their normal; on sides v is up, on tops it is +Y.
    """
    offset = np.random.default_rng(seed).uniform(0, NOISE_PERIOD, 3)
    at = (np.asarray(position, np.float64) / pattern_size + offset).astype(np.float32)
    if uv is not None:
        moved = np.asarray(uv, np.float32) + offset[:2].astype(np.float32)
        return GuideFields(moved[..., 0], moved[..., 1], solid_noise(at))
    main = (np.abs(normal) * (1.0, 1.0, _TOP)).argmax(-1)
    u = np.where(main == 0, at[..., 1], at[..., 0])
    v = np.where(main == 2, at[..., 1], at[..., 2])
    return GuideFields(u, v, solid_noise(at))


def triangle(u: Floats) -> Floats:
    """Distance of u to the nearest even number, 0..1."""
    return np.abs(u - 2 * np.round(u / 2)).astype(np.float32)


def sawtooth(v: Floats) -> Floats:
    """v modulo two, halved: 0..1."""
    half = v / 2
    return (half - np.floor(half)).astype(np.float32)


def solid_noise(points: Floats) -> Floats:
    """Noise 0..1, mean 0.5, at (..., 3) points in pattern units; repeats after NOISE_PERIOD."""
    table = _table().reshape(-1)
    at = points * np.float32(_CELLS / NOISE_PERIOD)
    floor = np.floor(at)
    x, y, z = np.moveaxis(at - floor, -1, 0)
    low = floor.astype(np.int64) % _CELLS
    high = (low + 1) % _CELLS
    rows = [
        (side[..., 0] * _CELLS + other[..., 1]) * _CELLS
        for side in (low, high)
        for other in (low, high)
    ]
    near, far = low[..., 2], high[..., 2]
    lines = [table[row + near] * (1 - z) + table[row + far] * z for row in rows]
    left = lines[0] * (1 - y) + lines[1] * y
    right = lines[2] * (1 - y) + lines[3] * y
    out: Floats = left * (1 - x) + right * x
    return out


def guide_strength(u: Floats, v: Floats, seen: npt.NDArray[np.bool_]) -> Floats:
    """1 where a unit spans pixels enough, 0 where it is lost, (h, w)."""
    step = np.maximum(_steps(u, seen), _steps(v, seen))
    t = np.clip((_FADE[1] - step) / (_FADE[1] - _FADE[0]), 0, 1)
    out: Floats = (t * t * (3 - 2 * t)).astype(np.float32)
    return out


def _steps(wave: Floats, seen: npt.NDArray[np.bool_]) -> Floats:
    """The larger of the change a pixel across and down. Of two neighbours the nearer counts: at
    seams and outlines the other jumps."""
    height, width = wave.shape
    padded = np.pad(np.where(seen, wave, np.inf), 1, constant_values=np.inf)
    with np.errstate(invalid="ignore"):
        sides = [
            np.abs(padded[1 + y : 1 + y + height, 1 + x : 1 + x + width] - wave)
            for y, x in ((0, 1), (0, -1), (1, 0), (-1, 0))
        ]
    return np.maximum(np.minimum(sides[0], sides[1]), np.minimum(sides[2], sides[3]))


@lru_cache(maxsize=1)
def _table() -> Floats:
    """Periodic noise (cells, cells, cells), mean 0.5, always the same."""
    rng = np.random.default_rng(20)
    total = np.zeros((_CELLS,) * 3)
    for spacing, gain in zip(_SPACINGS, _GAINS, strict=True):
        octave = _smooth(rng.uniform(-1, 1, (round(NOISE_PERIOD / spacing),) * 3))
        total += (octave - octave.mean()) * (gain / octave.std())
    scaled: Floats = np.clip(total / total.std() * _SPREAD + 0.5, 0, 1).astype(np.float32)
    return scaled


def _smooth(lattice: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Smooth periodic interpolation of an (n, n, n) lattice to the table's size."""
    n = len(lattice)
    at = np.arange(_CELLS) / _CELLS * n
    low = np.floor(at).astype(int)
    t = at - low
    t = t**3 * (t * (t * 6 - 15) + 10)
    for axis in range(3):
        shape = [-1 if k == axis else 1 for k in range(3)]
        first = lattice.take(low % n, axis)
        second = lattice.take((low + 1) % n, axis)
        lattice = first + (second - first) * t.reshape(shape)
    return lattice
