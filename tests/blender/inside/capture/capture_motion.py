"""What artists rely on in an animation: where a painted spot was in another frame."""

from __future__ import annotations

from pathlib import Path

import bpy

# isort: split
import bmesh
import numpy as np
from scene_tools import add, camera, cube

from blender_addon.capture.tracks import track_of
from blender_addon.capture.view import capture
from underpaint.animation.motion import Motion, motion, positions_in, target
from underpaint.animation.tracks import load_track, save_track
from underpaint.buffers import Kind
from underpaint.cameras import project

SIZE = (120, 100)
PIXELS = np.arange(SIZE[0] * SIZE[1])
EXACT = 1e-3  # px


def taken(frame, **options):
    """The track and the world positions (n, 3) of a frame."""
    bpy.context.scene.frame_set(frame)
    found = capture(bpy.context, None, *SIZE, frozenset({Kind.DEPTH, Kind.POSITION}), **options)
    position = found.buffers[found.view.position.sha256].reshape(-1, 3)
    return track_of(found.placed, found.passes, found.view.camera), position


def keyed(item, name, *values):
    """A property at frame 1, 2, …"""
    for frame, value in enumerate(values, start=1):
        setattr(item, name, value)
        item.keyframe_insert(name, frame=frame)


def matrix(item, frame):
    bpy.context.scene.frame_set(frame)
    return np.array(item.matrix_world)


def from_second_to_first(**options) -> tuple[Motion, object, object, np.ndarray]:
    before, _ = taken(1, **options)
    now, position = taken(2, **options)
    return motion(now, target(before), PIXELS), before, now, position


def shown(track, name):
    """The pixels of an object."""
    keys = [placing.key.startswith(f"{name}/") for placing in track.placings]
    return np.flatnonzero(np.array([*keys, False])[track.item.reshape(-1)])


def a_moving_object_before_a_moving_camera_is_followed():
    box = cube("Box")
    cube("Wall", (0, 6, 0), size=6.0)
    keyed(box, "location", (-0.5, 0, 0), (0.4, -0.5, 0.2))
    keyed(box, "rotation_euler", (0, 0, 0.2), (0.1, 0.3, 0.5))
    keyed(box, "scale", (1, 1, 1), (1.2, 0.8, 1.1))
    keyed(camera((0, -9, 1)), "location", (0, -9, 1), (0.6, -8.5, 1.2))
    back = matrix(box, 1) @ np.linalg.inv(matrix(box, 2))
    for use_gpu in (True, False):
        found, before, now, position = from_second_to_first(use_gpu=use_gpu)
        for name, moved in (("Box", back), ("Wall", np.eye(4))):
            pixels = shown(now, name)
            was = position[pixels].astype(float) @ moved[:3, :3].T + moved[:3, 3]
            expected, _depth = project(before.camera, was)
            error = np.linalg.norm(found.at[pixels] - expected, axis=1)
            assert len(pixels) > 500
            assert error.max() < EXACT, (name, use_gpu, error.max())


def a_mesh_that_deforms_is_followed():
    def grid(draft):
        bmesh.ops.create_grid(draft, x_segments=9, y_segments=9, size=2)

    cloth = add("Cloth", grid)
    cloth.shape_key_add(name="Basis")
    bent = cloth.shape_key_add(name="Bent")
    for point in bent.data:
        point.co.x *= 1.5
        point.co.z = 0.5 * point.co.y
    keyed(bent, "value", 0.0, 1.0)
    camera((0.5, -3, 8))
    found, before, now, position = from_second_to_first()
    pixels = shown(now, "Cloth")
    flat = position[pixels] * (1 / 1.5, 1, 0)
    expected, _depth = project(before.camera, flat)
    assert len(pixels) > 500
    assert np.linalg.norm(found.at[pixels] - expected, axis=1).max() < EXACT
    assert found.seen[pixels].mean() > 0.97


def what_was_hidden_is_not_taken_for_seen():
    door = cube("Door", (0, -3, 0))
    cube("Room", (0, 6, 0), size=9.0)
    keyed(door, "location", (0, -3, 0), (2.5, -3, 0))
    camera((0, -12, 0))
    found, before, now, position = from_second_to_first()
    wall = shown(now, "Room")
    eye = before.camera.position
    # Rays from the camera to the wall go through the door's place of frame 1, |x|, |z| < 1 between
    # y = -4 and y = -2; near its outline pixels are of both.
    at_door = eye + (position[wall] - eye) * ((-4 - eye[1]) / (position[wall][:, 1:2] - eye[1]))
    far = np.abs(at_door[:, [0, 2]]).max(axis=1)
    assert not found.seen[wall[far < 0.95]].any()
    assert found.seen[wall[far > 1.1]].all()
    assert (far < 0.95).sum() > 100


def a_mesh_with_other_faces_has_no_past_and_the_rest_has():
    ball = add("Ball", lambda draft: bmesh.ops.create_icosphere(draft, subdivisions=2, radius=1))
    cube("Still", (3, 0, 0))
    finer = ball.modifiers.new("Finer", "SUBSURF")
    keyed(finer, "render_levels", 1, 2)
    camera((1.5, -10, 1))
    found, _before, now, _position = from_second_to_first()
    assert not found.seen[shown(now, "Ball")].any()
    assert found.seen[shown(now, "Still")].all()


def every_instance_is_followed_by_itself():
    source = cube("Source", size=1.0)
    group = bpy.data.collections.new("Group")
    group.objects.link(source)
    bpy.context.scene.collection.objects.unlink(source)
    shifts = ((-1.0, -0.4), (1.0, 0.3))
    for x, by in shifts:
        empty = bpy.data.objects.new(f"Instance {x}", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", group
        bpy.context.scene.collection.objects.link(empty)
        keyed(empty, "location", (x, 0, 0), (x + by, 0, 0))
    camera((0, -7, 0))
    before, _ = taken(1)
    now, position = taken(2)
    was = positions_in(now, target(before), PIXELS)
    for x, by in shifts:
        mine = np.abs(position[:, 0] - (x + by)) < 0.51
        assert mine.sum() > 200
        assert np.abs(position[mine] - was[mine] - (by, 0, 0)).max() < 1e-4


def a_track_comes_back_from_its_file():
    box = cube("Box")
    keyed(box, "location", (0, 0, 0), (1, 0, 0))
    camera((0, -9, 1))
    tracks = [taken(frame)[0] for frame in (1, 2)]
    told, known = set(), {}
    folder = bpy.app.tempdir
    for number, track in enumerate(tracks):
        path = Path(folder, f"{number}.npz")
        save_track(path, track, told)
        again = load_track(path, known)
        assert again.camera == track.camera
        assert again.placings[0].shape.digest == track.placings[0].shape.digest
        assert (again.vertices == track.vertices).all()
        assert (again.placings[0].to_world == track.placings[0].to_world).all()
    assert tracks[0].placings[0].shape.digest == tracks[1].placings[0].shape.digest


BEHAVIOURS = (
    a_moving_object_before_a_moving_camera_is_followed,
    a_mesh_that_deforms_is_followed,
    what_was_hidden_is_not_taken_for_seen,
    a_mesh_with_other_faces_has_no_past_and_the_rest_has,
    every_instance_is_followed_by_itself,
    a_track_comes_back_from_its_file,
)
