"""Cameras that stand inside a room and look around."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.cameras import Camera, look_at, perspective

from ..surface.mesh import Mesh
from ..surface.sampling import sample_surface
from .placement import Direction, RigView

Array = npt.NDArray[Any]


def room_rig(mesh: Mesh, count: int = 10, size: int = 512) -> list[RigView]:
    """Cameras inside a room: from its middle, wide, turning round, then up and down.

    Places whose view is blocked close by are moved toward the room's emptiest spot.
    """
    poles = 2 if count >= 6 else 0
    ring = count - poles
    directions = [Direction(360.0 * i / ring, 0.0) for i in range(ring)]
    directions += [Direction(0.0, 90.0), Direction(0.0, -90.0)][:poles]
    stands = _standpoints(mesh)
    # Those that share a standpoint see all round it between them.
    step = math.pi / max(3.0, ring / len(stands))
    fov = max(math.radians(75.0), 2 * math.atan(1.15 * math.tan(step)))
    far = 4 * mesh.radius
    views = []
    for i, direction in enumerate(directions):
        eye = stands[i % len(stands)]
        toward = -np.asarray(direction.vector)
        matrix = look_at(eye, eye + toward)
        projection = perspective(size, size, min(fov, math.radians(110.0)), far * 1e-3, far)
        views.append(RigView(Camera(matrix, projection, size, size, far * 1e-3, far)))
    return views


def _standpoints(mesh: Mesh) -> list[Array]:
    """Up to two places (3,) far from every surface: the best, and one away from it."""
    samples = sample_surface(mesh, 4000).position.double().cpu().numpy()
    low, high = (bound.double().cpu().numpy() for bound in mesh.bounds)
    steps = (np.arange(9) + 1) / 10
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    places = low + grid * (high - low)
    room = np.array([np.linalg.norm(samples - p, axis=1).min() for p in places])
    first = places[int(room.argmax())]
    away = np.linalg.norm(places - first, axis=1)
    second = places[int((room * (room > 0.4 * room.max()) * away).argmax())]
    return [first, second] if np.linalg.norm(second - first) > 0.2 * mesh.radius else [first]
