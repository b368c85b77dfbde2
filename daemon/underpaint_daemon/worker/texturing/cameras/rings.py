"""The order in which views are denoised: neighbours after one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.cameras import Camera


def chain(cameras: Sequence[Camera], center: npt.ArrayLike) -> list[int]:
    """View numbers from the first on, each followed by the nearest direction not yet taken."""
    directions = np.array([_direction(camera, center) for camera in cameras])
    order, left = [0], set(range(1, len(cameras)))
    while left:
        last = directions[order[-1]]
        nearest = min(sorted(left), key=lambda i: -float(directions[i] @ last))
        order.append(nearest)
        left.remove(nearest)
    return order


def _direction(camera: Camera, center: npt.ArrayLike) -> npt.NDArray[Any]:
    away = camera.position - np.asarray(center, dtype=np.float64)
    away = camera.view_matrix[2, :3] if camera.orthographic else away
    return np.asarray(away / max(float(np.linalg.norm(away)), 1e-12))
