"""How much of the surface a set of cameras sees, before anything is painted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from underpaint.cameras import Camera

from ..surface.mesh import Mesh, is_inside_out
from ..surface.sampling import SurfaceSamples, sample_surface
from .placement import Direction, place
from .render import render_view, resized
from .room import room_rig
from .visibility import ViewGeometry, look

_REACHING_COS = 0.1
_REACHING_ERROR = 1.0


def facing(mesh: Mesh, samples: SurfaceSamples, camera: Camera) -> Tensor:
    """(N,) the cosine at which a camera sees each sample; 0 where it does not."""
    seen = look(samples.points, ViewGeometry.of(render_view(mesh, camera)))
    visible = seen.error < _REACHING_ERROR
    result = torch.zeros(len(samples.area), device=samples.area.device)
    result[seen.index[visible]] = seen.cosine[visible]
    return result


def coverage(
    mesh: Mesh, cameras: Sequence[Camera], *, samples: int = 50_000, size: int = 512
) -> float:
    """The fraction of the reachable surface (by area) that the cameras see squarely enough.

    Reachable: seen at a cosine above 0.1 by the cameras themselves or by any of 50 all around.
    """
    points = sample_surface(mesh, samples)
    own = seen_by(mesh, points, cameras, size)
    reachable = own | reachable_samples(mesh, points, size)
    return float(own.sum()) / max(1.0, float(reachable.sum()))


def seen_by(
    mesh: Mesh, samples: SurfaceSamples, cameras: Sequence[Camera], size: int = 512
) -> Tensor:
    """(N,) bool: samples seen by at least one camera at a cosine above 0.1."""
    seen = torch.zeros(len(samples.area), dtype=torch.bool, device=samples.area.device)
    for camera in cameras:
        scale = size / max(camera.width, camera.height)
        shape = (max(1, round(camera.height * scale)), max(1, round(camera.width * scale)))
        seen |= facing(mesh, samples, resized(camera, shape)) > _REACHING_COS
    return seen


def reachable_samples(mesh: Mesh, samples: SurfaceSamples, size: int = 512) -> Tensor:
    """(N,) bool: samples that any of 50 cameras all around (or in the room) sees."""
    return seen_by(mesh, samples, all_around(mesh, size), size)


def all_around(mesh: Mesh, size: int = 512, count: int = 50) -> list[Camera]:
    """`count` cameras spread evenly over the sphere (Fibonacci), or in the room it is."""
    if is_inside_out(mesh):
        return [view.camera for view in room_rig(mesh, count, size)]
    golden = 180.0 * (3.0 - math.sqrt(5.0))
    heights = [1 - (2 * i + 1) / count for i in range(count)]
    return [
        place(mesh, Direction(golden * i % 360, math.degrees(math.asin(h))), size).camera
        for i, h in enumerate(heights)
    ]
