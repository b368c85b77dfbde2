"""What captures are measured against is itself right: rays, shapes, normals as colour."""

from __future__ import annotations

import json

import numpy as np
import pytest

from underpaint.evals.analytic import Lens, Shape, ShapeKind, trace
from underpaint.evals.capture_scenes import from_json, place, scenes, to_json
from underpaint.normals import decode_normal, encode_normal

IDENTITY = tuple(np.eye(4).reshape(-1).tolist())
SCENES = scenes(0)


def shape(kind: ShapeKind, **placing) -> Shape:
    matrix = tuple(place((0.0, 0.0, 0.0), **placing).reshape(-1).tolist())
    return Shape(kind, "It", matrix, IDENTITY)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_points_on_a_pixels_ray_project_to_its_centre(scene):
    origins, directions = scene.lens.rays()
    rows, columns = np.indices(origins.shape[:2])
    centres = np.stack([columns + 0.5, rows + 0.5], axis=-1).reshape(-1, 2)
    for depth in (0.5, 7.0):
        points = (origins + directions * depth).reshape(-1, 3)
        assert np.abs(scene.lens.project(points) - centres).max() < 1e-9


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_every_scene_shows_all_its_objects_and_normals_face_the_viewer(scene):
    truth = trace(scene.lens, scene.shapes)
    shown = {scene.shapes[i].object for i in np.unique(truth.shape) if i >= 0}
    assert shown == {item.object for item in scene.shapes}
    seen = truth.shape >= 0
    assert np.allclose(np.linalg.norm(truth.normal[seen], axis=-1), 1)
    assert seen.mean() > 0.1
    assert truth.edge.mean() < 0.3


def test_scenes_travel_as_json():
    for scene in SCENES:
        assert from_json(json.loads(json.dumps(to_json(scene)))) == scene


def test_depths_of_simple_shapes_are_known():
    lens = Lens((0.0, -5.0, 0.0), (0.0, 0.0, 0.0), 33, 33, lens=50.0)
    middle = (16, 16)
    for kind, placing, depth in (
        (ShapeKind.SPHERE, {}, 4.0),
        (ShapeKind.SPHERE, {"scale": (1.0, 2.0, 1.0)}, 3.0),
        (ShapeKind.BOX, {"scale": (1.0, 0.5, 1.0)}, 4.5),
        (ShapeKind.BOX, {"turn": np.pi / 4}, 5.0 - np.sqrt(2)),
        (ShapeKind.PLANE, {"tilt": np.pi / 2}, 5.0),
    ):
        truth = trace(lens, (shape(kind, **placing),))
        assert truth.depth[middle] == pytest.approx(depth, abs=1e-6), (kind, placing)


def test_a_sphere_in_an_orthographic_view_has_its_own_size():
    lens = Lens((0.0, -5.0, 0.0), (0.0, 0.0, 0.0), 400, 200, ortho_scale=4.0)
    seen = np.isfinite(trace(lens, (shape(ShapeKind.SPHERE),)).depth)
    assert seen.sum() / 100**2 == pytest.approx(np.pi, rel=2e-3)


def test_normals_survive_their_encoding():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(50, 60, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    decoded = decode_normal(encode_normal(normals))
    across = np.linalg.norm(np.cross(decoded, normals), axis=-1)
    assert np.degrees(np.arcsin(across)).max() < 0.4


def test_the_background_is_the_colour_of_facing_the_viewer():
    assert encode_normal(np.zeros((1, 1, 3))).tolist() == [[[128, 128, 255]]]
