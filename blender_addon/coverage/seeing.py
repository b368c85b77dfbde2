"""Which pieces of a surface are seen: by rays from places about it, or by a captured depth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from mathutils.bvhtree import BVHTree

from underpaint.cameras import Camera, project

from .surface import Floats, Surface, hiding

_OFF = 1e-4  # of the radius: a ray starts so far before its own triangle
_LEAST_COS = 0.02
_PIXELS = 1.5  # a captured depth is taken for the same place within so many pixels' slope
_AT_ONCE = 2000
_MOST_HIDING = 25_000


class Rays:
    """The surface as what hides itself. May be used in any thread; nothing of Blender's file is
    kept. `told`: called now and then with the number of rays cast."""

    def __init__(self, surface: Surface, told: Callable[[int], None] = lambda _count: None) -> None:
        self._surface = surface
        vertices, triangles, off = hiding(surface, _MOST_HIDING)
        # Blender makes it in one go while all else waits: hence no more triangles than these.
        self._tree = BVHTree.FromPolygons(vertices.tolist(), triangles.tolist(), all_triangles=True)
        self._off = surface.radius * _OFF + 1.5 * off
        self._told = told

    def seen_from(self, place: Floats, rows: npt.NDArray[np.int64] | None = None) -> Floats:
        """(n,) the cosine at which each piece (of `rows`: each of these) is seen from a place; 0
        where it faces away or something is in between."""
        surface = self._surface
        rows = np.arange(len(surface.area)) if rows is None else rows
        middle, normal = surface.middle[rows], surface.normal[rows]
        toward = place - middle
        distance = np.linalg.norm(toward, axis=1)
        toward /= distance[:, None].clip(1e-300)
        cosine = (toward * normal).sum(1)
        start = middle + normal * self._off
        found = np.zeros(len(rows))
        facing = np.flatnonzero(cosine > _LEAST_COS)
        for at in range(0, len(facing), _AT_ONCE):
            some = facing[at : at + _AT_ONCE]
            lines = zip(*(x[some].tolist() for x in (start, toward, distance)), strict=True)
            free = [self._tree.ray_cast(*line)[2] is None for line in lines]
            clear = some[np.array(free, bool)]
            found[clear] = cosine[clear]
            self._told(len(some))
        return found


def seen_in(surface: Surface, camera: Camera, depth: npt.NDArray[np.float32]) -> Floats:
    """(n,) the cosine at which a view shows each piece; 0 where it does not. `depth` (h, w):
    metres, as captured."""
    pixel, far = project(camera, surface.middle)
    x, y = np.floor(pixel).astype(np.int64).T
    height, width = depth.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height) & (far > 0)
    cosine = (_toward(camera, surface.middle) * surface.normal).sum(1)
    shown = depth[y.clip(0, height - 1), x.clip(0, width - 1)]
    across = 1.0 if camera.orthographic else far
    footprint = 2.0 * across / (camera.projection[0] * width)
    slope = _PIXELS * footprint / cosine.clip(0.1)
    visible = inside & (cosine > _LEAST_COS) & (far < shown + slope)
    return np.where(visible, cosine, 0.0)


def _toward(camera: Camera, points: Floats) -> Floats:
    """(n, 3) unit vectors to the camera."""
    if camera.orthographic:
        return np.broadcast_to(camera.view_matrix[2, :3], points.shape)
    away = camera.position - points
    unit: Floats = away / np.linalg.norm(away, axis=1, keepdims=True).clip(1e-300)
    return unit
