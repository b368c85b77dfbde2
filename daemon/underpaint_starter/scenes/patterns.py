"""Noise and cell patterns over points of space: the building blocks of the materials."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from underpaint_starter.scenes.shapes import Mapping

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


def hashed(*values: Tensor, salt: float = 0.0) -> Tensor:
    """Pseudo-random 0..1 for whole-number coordinates."""
    total = torch.full_like(values[0], salt * 7.31 + 0.37)
    for k, value in enumerate(values):
        total = total + value * (12.9898, 78.233, 37.719)[k]
    return (total.sin() * 4375.85).frac().abs()


def smoothstep(low: float, high: float, x: Tensor) -> Tensor:
    """0 below ``low``, 1 above ``high`` (or the reverse when low > high), smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def mix(first: Tensor, second: Tensor, t: Tensor) -> Tensor:
    """Blend two (..., 3) colours by t (N,)."""
    return first + (second - first) * t[:, None]


@dataclass(frozen=True, slots=True)
class Cells:
    """Worley cells: distances to the nearest and second point, and a random 0..1 per cell."""

    nearest: Tensor
    second: Tensor
    label: Tensor


def worley(points: Tensor, jitter: float = 0.75) -> Cells:
    """Nearest jittered lattice points among the eight around each (N, 3) point."""
    base = (points - 0.5).floor()
    nearest = torch.full((len(points),), 9.0, device=points.device)
    second, label = nearest.clone(), torch.zeros_like(nearest)
    for corner in range(8):
        shift = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2 & 1], device=points.device)
        cell = base + shift
        x, y, z = cell.unbind(-1)
        r = hashed(x, y, z)
        wobble = torch.stack((r, (r * 97.13).frac(), (r * 57.71).frac()), -1) - 0.5
        distance = (cell + 0.5 + jitter * wobble - points).norm(dim=-1)
        closer = distance < nearest
        second = torch.where(closer, nearest, torch.minimum(second, distance))
        label = torch.where(closer, (r * 31.7).frac(), label)
        nearest = torch.minimum(nearest, distance)
    return Cells(nearest, second, label)


def flat_coordinates(points: Tensor, normals: Tensor, mapping: Mapping, repeats: float) -> Tensor:
    """Pattern coordinates (N, 2), ``repeats`` per unit of length; v is up.

    Round shapes are wrapped around the y axis with a whole number of repeats; others are projected
    along the main axis of the normal.
    """
    x, y, z = points.unbind(-1)
    size = normals.abs()
    if mapping is Mapping.ROUND:
        around = max(4, round(2 * math.pi * 0.75 * repeats / 2) * 2)
        u = torch.atan2(-z, x) * (around / (2 * math.pi))
        cap = size[:, 1] > 0.85
        return torch.where(
            cap[:, None],
            torch.stack((x, z), -1) * repeats,
            torch.stack((u, y * repeats), -1),
        )
    bias = torch.tensor([1.0, 1.12, 1.0], device=points.device)
    axis = (size * bias).argmax(-1)
    u = torch.where(axis == 0, z, x)
    v = torch.where(axis == 1, z, y)
    return torch.stack((u, v), -1) * repeats
