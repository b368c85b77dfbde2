"""The preview of coverage looks from where the painter will."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from blender_addon.coverage import standing
from blender_addon.coverage.surface import Surface
from underpaint_daemon.worker.texturing.cameras.coverage import facing
from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.rig import automatic_rig
from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.sampling import SurfaceSamples

from helpers.meshes.sync_scene import torus

FIXED = 6


def surface_of(mesh: Mesh) -> Surface:
    corners = mesh.position.double().numpy().reshape(-1, 3, 3)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(cross, axis=1)
    whole = (corners.reshape(-1, 3), np.arange(len(corners) * 3).reshape(-1, 3))
    return Surface(*whole, corners, corners.mean(1), cross / length[:, None], length / 2)


def seen_by_the_painter(mesh: Mesh, surface: Surface):
    """What each place shows, as the painter's own cameras render it."""
    columns = (surface.middle, surface.normal, surface.area)
    middle, normal, area = (torch.tensor(column, dtype=torch.float32) for column in columns)
    ids = torch.full((len(area),), int(mesh.ids[0, 0]))
    samples = SurfaceSamples(middle, normal, ids, area)

    def seen_from(eye: np.ndarray) -> np.ndarray:
        x, y, z = (eye - surface.centre) / np.linalg.norm(eye - surface.centre)
        way = Direction(math.degrees(math.atan2(x, -y)), math.degrees(math.asin(z)))
        return facing(mesh, samples, place(mesh, way, 192).camera).double().numpy()

    return seen_from


@pytest.mark.parametrize("count", [3, 5, 6, 10])
def test_the_previews_views_stand_where_the_painters_do(count: int) -> None:
    mesh = torus()
    surface = surface_of(mesh)
    seen = seen_by_the_painter(mesh, surface)
    ours = standing.places(surface, count, seen)
    theirs = [view.camera.position for view in automatic_rig(mesh, count, 64)]
    assert len(ours) == count
    if count <= FIXED:
        assert np.allclose(sorted(map(tuple, ours)), sorted(map(tuple, theirs)), atol=1e-3)
    assert shown(surface, ours, seen) == pytest.approx(shown(surface, theirs, seen), rel=0.005)


def shown(surface: Surface, eyes, seen) -> float:
    """How squarely the views show the surface: what both plans raise. Of places that are as good
    as each other, either may be taken."""
    best = np.max([seen(eye) for eye in eyes], axis=0)
    return float(np.sqrt(best) @ surface.area)
