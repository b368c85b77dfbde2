"""One camera about an object, its frame fitted to what it sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.cameras import Camera, Matrix, look_at, perspective

from ..surface.mesh import Mesh

Array = npt.NDArray[Any]
_FILL = 0.8
_DISTANCE = 4.0  # of the object's radius: little perspective, as in a product photograph
_SQUAREST = 0.5
_MULTIPLE = 64
_CORNERS_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True)
class Direction:
    """Where a camera looks from. azimuth: degrees, 0 = front (from -Y), 90 = from +X (the
    object's left side), 180 = back. elevation: degrees, 90 = from above."""

    azimuth: float
    elevation: float

    @property
    def vector(self) -> tuple[float, float, float]:
        """Unit vector from the object to the camera (world)."""
        a, e = math.radians(self.azimuth), math.radians(self.elevation)
        return math.cos(e) * math.sin(a), -math.cos(e) * math.cos(a), math.sin(e)

    @property
    def word(self) -> str:
        """How a prompt calls it: front, side, back, top or bottom."""
        if abs(self.elevation) > 60:
            return "top" if self.elevation > 0 else "bottom"
        turn = abs((self.azimuth + 180) % 360 - 180)
        return "front" if turn < 50 else "back" if turn > 130 else "side"


@dataclass(frozen=True, slots=True)
class RigView:
    """A camera and the direction it was placed for (None: a given camera, or one in a room)."""

    camera: Camera
    direction: Direction | None = None


def place(
    mesh: Mesh, direction: Direction, size: int, *, square: bool = True, distance: float = _DISTANCE
) -> RigView:
    """A perspective camera in a direction, its frame fitted so that the object fills 80 %.

    size: pixels of the longer side. square=False fits the aspect too: a tall object gets a tall
    image (sides are multiples of 64, the shorter at least half the longer).
    distance: of the camera from the object's centre, in radii of the object.
    """
    center = mesh.center.double().cpu().numpy()
    eye = center + np.asarray(direction.vector) * max(mesh.radius, 1e-9) * distance
    matrix = look_at(eye, center)
    low, high, nearest, farthest = _extent(mesh, matrix)
    near, far = 0.5 * nearest, 1.5 * farthest
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-9) / _FILL
    width, height = _frame(half, size, square)
    tangent = max(half[1], half[0] * height / width)
    focal = 1.0 / tangent
    shift = (float(middle[0] * focal * height / width), float(middle[1] * focal))
    projection = perspective(width, height, 2 * math.atan(tangent), near, far, shift)
    return RigView(Camera(matrix, projection, width, height, near, far), direction)


def _extent(mesh: Mesh, matrix: Matrix) -> tuple[Array, Array, float, float]:
    """Of the mesh's corners in front of a camera: the least and largest x/z and y/z (2,), and the
    least and largest depth."""
    view = torch.tensor(matrix, dtype=torch.float64, device=mesh.position.device).reshape(4, 4)
    lows, highs = list[Tensor](), list[Tensor]()
    for at in range(0, len(mesh.position), _CORNERS_AT_ONCE):  # so many stay in a CPU's cache
        part = mesh.position[at : at + _CORNERS_AT_ONCE].double()
        x, y, z = torch.addmm(view[:3, 3:], view[:3, :3], part.T)
        measures = torch.stack((x / -z, y / -z, -z))
        lows.append(measures.amin(1))
        highs.append(measures.amax(1))
    low = torch.stack(lows).amin(0).cpu().numpy()
    high = torch.stack(highs).amax(0).cpu().numpy()
    return low[:2], high[:2], float(low[2]), float(high[2])


def _frame(half: Array, size: int, square: bool) -> tuple[int, int]:
    """(width, height) in pixels of a frame for half extents (x, y)."""
    if square:
        return size, size
    aspect = float(np.clip(half[0] / half[1], _SQUAREST, 1 / _SQUAREST))
    shorter = math.ceil(size * min(aspect, 1 / aspect) / _MULTIPLE) * _MULTIPLE
    shorter = min(size, max(_MULTIPLE, shorter))
    return (size, shorter) if aspect >= 1 else (shorter, size)
