"""Cameras that frame what they are for, and together see all that can be seen."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from underpaint.cameras import project
from underpaint_daemon.tools.evals.shapes import chair, fragmented_uv, room, two_shell_box
from underpaint_daemon.worker.texturing.cameras.coverage import coverage, seen_by
from underpaint_daemon.worker.texturing.cameras.placement import Direction, RigView, place
from underpaint_daemon.worker.texturing.cameras.render import render_view
from underpaint_daemon.worker.texturing.cameras.rig import automatic_rig, standard_directions
from underpaint_daemon.worker.texturing.surface.coarse import coarse
from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.sampling import sample_surface

torch.set_num_threads(1)


@cache
def twelve(shape: Callable[[], Mesh]) -> list[RigView]:
    """The twelve cameras of a shape, planned once for all that is asked of them."""
    return automatic_rig(shape(), 12, 192)


@pytest.mark.parametrize("direction", [Direction(0, 0), Direction(35, 20), Direction(0, -90)])
def test_the_object_fills_four_fifths_of_the_frame_and_is_centred(direction) -> None:
    mesh = chair()
    camera = place(mesh, direction, 256).camera
    pixels, depth = project(camera, mesh.position.numpy())
    low, high = pixels.min(0) / 256, pixels.max(0) / 256
    assert max(high - low) == pytest.approx(0.8, abs=0.01)
    assert np.allclose((low + high) / 2, 0.5, atol=0.01)
    assert camera.near < depth.min()
    assert depth.max() < camera.far


def test_a_tall_object_gets_a_tall_picture() -> None:
    camera = place(chair(), Direction(0, 0), 512, square=False).camera
    assert camera.height == 512
    assert camera.width < 400
    assert camera.width % 64 == 0
    pixels, _ = project(camera, chair().position.numpy())
    assert (pixels > 0).all()
    assert (pixels < [camera.width, camera.height]).all()


def test_directions_are_called_what_an_artist_calls_them() -> None:
    words = [Direction(a, e).word for a, e in ((0, 20), (90, 0), (180, -20), (0, 90), (0, -90))]
    assert words == ["front", "side", "back", "top", "bottom"]
    assert Direction(350, 0).word == "front"
    for count in (1, 4, 6, 8, 10, 12):
        directions = standard_directions(count)
        assert len(directions) == len(set(directions)) == count
        assert directions[0].word == "front"


def test_twelve_cameras_see_what_can_be_seen() -> None:
    for shape in (fragmented_uv, chair, two_shell_box):
        cameras = [view.camera for view in twelve(shape)]
        assert len(cameras) == 12
        assert coverage(shape(), cameras, samples=6000, size=192) > 0.98


def test_a_mesh_of_many_triangles_is_planned_by_one_of_few() -> None:
    fine = fragmented_uv(96, 64)
    plain = coarse(fine, many=1000, cells=24)
    assert coarse(fine, many=fine.triangles) is fine
    assert 500 < plain.triangles < fine.triangles / 2
    assert float((plain.position.norm(dim=1) - 1).abs().max()) < 1 / 24
    cameras = [view.camera for view in automatic_rig(plain, 8, 128)]
    assert coverage(fine, cameras, samples=4000, size=128) > 0.98


def test_more_cameras_see_more_and_the_rig_is_always_the_same() -> None:
    mesh = two_shell_box()
    points = sample_surface(mesh, 4000)
    few, many = (
        int(seen_by(mesh, points, [view.camera for view in rig], 192).sum())
        for rig in (automatic_rig(mesh, 4, 192), twelve(two_shell_box))
    )
    assert few < many
    assert automatic_rig(mesh, 12, 192) == twelve(two_shell_box)


def test_a_room_is_seen_from_within() -> None:
    mesh = room()
    rig = automatic_rig(mesh, 10, 192)
    low, high = (bound.numpy() for bound in mesh.bounds)
    for view in rig:
        assert (view.camera.position > low).all()
        assert (view.camera.position < high).all()
        assert float(render_view(mesh, view.camera).mask.float().mean()) > 0.99
    assert coverage(mesh, [v.camera for v in rig], samples=6000, size=192) > 0.95


def test_a_larger_rig_begins_with_the_smaller_one() -> None:
    assert twelve(chair)[:9] == automatic_rig(chair(), 9, 192)
