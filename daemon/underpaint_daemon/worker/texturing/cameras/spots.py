"""Cameras for a spot of the surface: the directions that see it best, framed on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from underpaint.cameras import Camera, look_at, perspective

from ..surface.mesh import Mesh, is_inside_out
from ..surface.points import SurfacePoints
from .placement import Direction, RigView
from .render import render_view, resized
from .room import room_rig
from .visibility import ViewGeometry, look

_FILL = 0.6  # of the frame: the rest is what the new paint has to continue
_DISTANCE = 4.0
_FACING = 0.2
_RENDERED = 14
_SIZE = 192
_SAMPLES = 20_000
_ENOUGH = 0.02
_VISIBLE_ERROR = 1.5
_RINGS = ((-65.0, 6), (-30.0, 12), (0.0, 12), (30.0, 12), (65.0, 6))


@dataclass(frozen=True, slots=True)
class Spot:
    """Surface to be painted: points, area (N,) of each, pitch: metres that a texel covers."""

    points: SurfacePoints
    area: Tensor
    pitch: float

    def __len__(self) -> int:
        return len(self.points)

    @classmethod
    def of(cls, points: SurfacePoints, pitch: Tensor) -> Spot:
        """A spot of texels, thinned; pitch (N,) metres each."""
        rows = torch.arange(0, len(points), max(1, -(-len(points) // _SAMPLES)))
        rows = rows.to(pitch.device)
        typical = float(pitch.median()) if len(pitch) else 0.0
        return cls(points.select(rows), pitch[rows] ** 2, typical)


def spot_rig(mesh: Mesh, spot: Spot, count: int, size: int) -> list[RigView]:
    """At most `count` cameras, the best first; none where no camera sees the spot.

    A camera is added while it raises the mean cosine at which the spot is seen by 0.02.
    """
    candidates = _candidates(mesh, spot, size)
    cosines = [seen_cosine(mesh, spot.points, view.camera) for view in candidates]
    return [candidates[i] for i in best_views(cosines, spot.area, count)]


def best_views(cosines: Sequence[Tensor], area: Tensor, count: int) -> list[int]:
    """Numbers of the views that see a spot, best first; cosines: (N,) each, 0 = not seen."""
    chosen = list[int]()
    best = torch.zeros_like(area)
    while len(chosen) < min(count, len(cosines)):
        gains = [float(((cosine - best).clamp(min=0) * area).sum()) for cosine in cosines]
        index = max(range(len(gains)), key=gains.__getitem__)
        if gains[index] < _ENOUGH * float(area.sum()):
            break
        chosen.append(index)
        best = torch.maximum(best, cosines[index])
    return chosen


def seen_cosine(mesh: Mesh, points: SurfacePoints, camera: Camera) -> Tensor:
    """(N,) the cosine at which a camera sees each point of a mesh; 0 where it does not."""
    scale = _SIZE / max(camera.width, camera.height)
    shape = (max(1, round(camera.height * scale)), max(1, round(camera.width * scale)))
    view = render_view(mesh, resized(camera, shape))
    seen = look(points, ViewGeometry.of(view))
    visible = seen.error < _VISIBLE_ERROR
    result = torch.zeros(len(points), device=points.position.device)
    result[seen.index[visible]] = seen.cosine[visible]
    return result


def _candidates(mesh: Mesh, spot: Spot, size: int) -> list[RigView]:
    """Cameras that may see the spot, those that it faces most squarely."""
    if is_inside_out(mesh):
        return room_rig(mesh, _RENDERED, size)
    ring = [Direction(360.0 * i / n, e) for e, n in _RINGS for i in range(n)]
    ring += [Direction(0.0, 90.0), Direction(0.0, -90.0)]

    def squareness(direction: Direction) -> float:
        toward = torch.tensor(direction.vector).to(spot.area)
        return float(((spot.points.normal @ toward).clamp(min=0) * spot.area).sum())

    ring.sort(key=squareness, reverse=True)
    framed = (_framed(mesh, spot, direction, size) for direction in ring[:_RENDERED])
    return [view for view in framed if view is not None]


def _framed(mesh: Mesh, spot: Spot, direction: Direction, size: int) -> RigView | None:
    """A camera in a direction whose frame holds the part of the spot that faces it; None when
    none does. No closer than a pixel a texel: nothing finer could be kept."""
    toward = torch.tensor(direction.vector).to(spot.area)
    facing = spot.points.normal @ toward > _FACING
    if not bool(facing.any()):
        return None
    places = spot.points.position[facing].double().cpu().numpy()
    middle = (places.min(0) + places.max(0)) / 2
    distance = max(mesh.radius, 1e-9) * _DISTANCE
    matrix = look_at(middle + np.asarray(direction.vector) * distance, middle)
    view = np.asarray(matrix).reshape(4, 4)
    seen = places @ view[:3, :3].T + view[:3, 3]
    slope = seen[:, :2] / -seen[:, 2:]
    centre = (slope.min(0) + slope.max(0)) / 2
    half = float((slope.max(0) - slope.min(0)).max()) / 2 / _FILL
    tangent = max(half, spot.pitch * size / 2 / distance, 1e-6)
    shift = (float(centre[0]) / tangent, float(centre[1]) / tangent)
    # The object lies within its radius about its own middle, wherever on it the spot is.
    near, far = distance - 2.5 * mesh.radius, distance + 2.5 * mesh.radius
    projection = perspective(size, size, 2 * math.atan(tangent), near, far, shift)
    return RigView(Camera(matrix, projection, size, size, near, far), direction)
