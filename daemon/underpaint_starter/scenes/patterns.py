"""Noise over points of space, and ways to blend: for skies, styles and materials."""

from functools import lru_cache

import torch
from torch import Tensor

_SIZE = 96


@lru_cache(maxsize=4)
def _volume(device: str) -> Tensor:
    """Periodic fractal noise (1, 1, S+1, S+1, S+1), mean 0.5, fixed seed."""
    generator = torch.Generator().manual_seed(20)
    total = torch.zeros((_SIZE, _SIZE, _SIZE))
    for octave, cells in enumerate((4, 8, 16, 32)):
        lattice = torch.rand((cells, cells, cells), generator=generator) - 0.5
        total += _upsampled(lattice) * 0.55**octave
    total = (total / total.std() * 0.17 + 0.5).clamp(0, 1)
    for axis in range(3):
        total = torch.cat((total, total.narrow(axis, 0, 1)), axis)
    return total[None, None].to(device)


def _upsampled(lattice: Tensor) -> Tensor:
    """Smooth periodic interpolation of an (n, n, n) lattice to (S, S, S)."""
    n = lattice.shape[0]
    at = torch.arange(_SIZE) / _SIZE * n
    low = at.floor().long()
    t = at - low
    t = t**3 * (t * (t * 6 - 15) + 10)
    for axis in range(3):
        shape = [-1 if k == axis else 1 for k in range(3)]
        first = lattice.index_select(axis, low % n)
        second = lattice.index_select(axis, (low + 1) % n)
        lattice = first + (second - first) * t.reshape(shape)
    return lattice


def noise(points: Tensor) -> Tensor:
    """Fractal noise 0..1 at (N, 3) points; period 1, largest features 1/4 wide."""
    volume = _volume(str(points.device))
    at = (points - points.floor()) * 2 - 1
    out = torch.nn.functional.grid_sample(
        volume, at[None, None, None], mode="bilinear", align_corners=True
    )
    return out.reshape(-1)


def smoothstep(low: float, high: float, x: Tensor) -> Tensor:
    """0 below ``low``, 1 above ``high`` (or the reverse when low > high), smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def mix(first: Tensor, second: Tensor, t: Tensor) -> Tensor:
    """Blend two (..., 3) colours by t (N,)."""
    return first + (second - first) * t[:, None]
