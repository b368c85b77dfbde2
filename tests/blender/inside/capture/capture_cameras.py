"""What artists rely on in a capture: where it looks from."""

from __future__ import annotations

import bpy

# isort: split
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Matrix
from scene_tools import camera, capture, cube, refused, viewport

from blender_addon import demo_scene
from blender_addon.capture import object_ids
from underpaint.buffers import Kind
from underpaint.cameras import Camera, look_at, orthographic, project, unproject


def the_demo_scene_has_its_main_object_in_the_middle():
    demo_scene.open_in(bpy.context)
    _, arrays = capture(size=(128, 128))
    ids = object_ids(bpy.context.evaluated_depsgraph_get())
    head = arrays[Kind.OBJECT_ID] == next(i for name, i in ids.items() if name.startswith("Head"))
    rows, columns = np.nonzero(head)
    assert len(set(np.unique(arrays[Kind.OBJECT_ID])) - {0}) == 4
    assert 0.1 < head.mean() < 0.6
    assert abs(columns.mean() / 128 - 0.5) < 0.1
    assert abs(rows.mean() / 128 - 0.5) < 0.15


def a_viewport_capture_is_what_the_viewport_shows():
    cube("Cube")
    port = viewport()
    region = port.region
    view, _ = capture(port, (region.width // 4, region.height // 4))
    points = [(1, 1, 1), (-1, 1, -1), (0.3, -0.2, 0.9)]
    pixels, _depth = project(view.camera, points)
    for point, pixel in zip(points, pixels, strict=True):
        x, y = location_3d_to_region_2d(region, port.region_3d, point)
        expected = np.array([x, region.height - y]) / (region.width, region.height)
        got = pixel / (view.camera.width, view.camera.height)
        assert np.abs(got - expected).max() < 1e-3, (got, expected)


def another_aspect_crops_the_viewport_around_its_centre():
    cube("Cube")
    port = viewport()
    whole, _ = capture(port, (port.region.width // 4, port.region.height // 4))
    size = np.array([whole.camera.width, whole.camera.height])
    side = int(size.min())
    square, _ = capture(port, (side, side))
    point = [(0.4, -0.2, 0.9)]
    a, b = project(whole.camera, point)[0][0], project(square.camera, point)[0][0]
    assert np.abs((a - size / 2) - (b - side / 2)).max() < 0.5


def a_viewport_through_the_camera_is_the_camera():
    cube("Cube")
    camera((4, -5, 3))
    port = viewport()
    port.region_3d.view_perspective = "CAMERA"
    through, _ = capture(port)
    direct, _ = capture()
    assert through.camera == direct.camera


def an_orthographic_viewport_sees_what_is_behind_its_origin():
    cube("Cube")
    # The matrices of such a viewport; without a window, viewports do not compute theirs.
    flat = Camera(
        look_at((0.3, -0.4, 0.2), (0, 0, 0)),
        orthographic(120, 100, 5, -1000, 1000),
        *(120, 100, -1000, 1000),
    )
    view, arrays = capture(flat)
    depth = arrays[Kind.DEPTH]
    seen = np.isfinite(depth)
    assert view.camera.orthographic
    assert seen.mean() > 0.1
    assert (depth[seen] > 0).all()
    assert view.camera.near > 0
    position = unproject(view.camera, np.where(seen, depth, 1.0))
    assert np.abs(position - arrays[Kind.POSITION])[seen].max() < 2e-3
    assert np.abs(arrays[Kind.POSITION][seen]).max() < 1 + 1e-4


def a_captured_camera_captures_the_same_again():
    cube("Cube")
    camera((4, -5, 3)).data.shift_x = 0.1
    view, arrays = capture()
    again, same = capture(view.camera)
    assert again == view
    assert all(np.array_equal(arrays[k], same[k], equal_nan=True) for k in (Kind.DEPTH, Kind.UV))


def far_from_the_origin_depth_stays_exact():
    there = Matrix.Translation((4000, -2000, 1000))
    cube("Cube").matrix_world = there
    cam = camera((0, -6, 0))
    cam.matrix_world = there @ cam.matrix_basis
    _, arrays = capture()
    depth = arrays[Kind.DEPTH][np.isfinite(arrays[Kind.DEPTH])]
    assert np.abs(depth - 5).max() < 1e-3


def near_things_hide_far_ones_whatever_the_clips():
    """Float32 has no digits for a projected depth between 1e-6 and 1e6 m; Blender 4.2 knows no
    other."""
    ways = (True, False) if bpy.app.version >= (4, 5) else (False,)
    names = [f"{number}" for number in range(4)]
    for number, name in enumerate(names):  # the farther ones are drawn last, then first
        cube(name, (0, 0.5 * number, 0), 0.4)
    for cam in (camera((0, -6, 0)), camera((0, 8, 0))):
        cam.data.clip_start, cam.data.clip_end = 1e-6, 1e6
        ids = object_ids(bpy.context.evaluated_depsgraph_get())
        nearest = ids[names[0] if cam.location.y < 0 else names[-1]]
        for use_gpu in ways:
            _, arrays = capture(cam, use_gpu=use_gpu)
            seen = arrays[Kind.OBJECT_ID][45:55, 55:65]
            assert (seen == nearest).all(), (use_gpu, np.unique(seen))
            middle = arrays[Kind.DEPTH][50, 60]
            assert abs(middle / (abs(cam.location.y - 1.5 * (cam.location.y > 0)) - 0.2) - 1) < 1e-5


def things_of_any_size_are_captured():
    for size in (1e-5, 1e-4, 1e4):
        item = cube("Cube", size=size)
        cam = camera((0, -3 * size, 0))
        cam.data.clip_start, cam.data.clip_end = max(size / 100, 1e-6), size * 100
        for kind in ("PERSP", "ORTHO"):
            cam.data.type, cam.data.ortho_scale = kind, 2 * size
            for use_gpu in (True, False):
                view, arrays = capture(cam, use_gpu=use_gpu)
                seen = np.isfinite(arrays[Kind.DEPTH])
                assert seen.mean() > 0.1, (size, kind, use_gpu)
                where = unproject(view.camera, np.where(seen, arrays[Kind.DEPTH], 1))[seen]
                assert np.abs(where - arrays[Kind.POSITION][seen]).max() < 1e-3 * size
                assert np.abs(np.abs(where).max() / (size / 2) - 1) < 0.02
        bpy.data.objects.remove(item)


def a_render_border_leaves_the_view_whole():
    cube("Cube")
    camera((4, -5, 3))
    whole, before = capture()
    render = bpy.context.scene.render
    render.use_border = render.use_crop_to_border = True
    render.border_min_x, render.border_max_x = 0.2, 0.4
    with_border, after = capture()
    assert with_border == whole
    assert np.array_equal(before[Kind.DEPTH], after[Kind.DEPTH])


def a_camera_of_another_scene_is_refused_by_name():
    cube("Cube")
    camera((0, -12, 0))
    other = bpy.data.scenes.new("Second")
    far = bpy.data.objects.new("Far camera", bpy.data.cameras.new("Far camera"))
    other.collection.objects.link(far)
    said = refused(far)
    assert "Far camera" in said, said
    assert bpy.context.scene.name in said, said


def what_cannot_be_captured_is_refused_with_a_hint():
    item = cube("Cube")
    assert "no active camera" in refused()
    assert "not a camera" in refused(item)
    cam = camera((0, -12, 0))
    assert "0×32" in refused(size=(0, 32))
    assert "20000" in refused(size=(20000, 20000))
    cam.data.type = "PANO"
    assert "pano" in refused()
    cam.data.type = "PERSP"
    cam.rotation_euler = (0, 0, 0)
    cam.location = (0, 0, -20)
    assert "nothing is visible" in refused()


BEHAVIOURS = (
    the_demo_scene_has_its_main_object_in_the_middle,
    a_viewport_capture_is_what_the_viewport_shows,
    another_aspect_crops_the_viewport_around_its_centre,
    a_viewport_through_the_camera_is_the_camera,
    an_orthographic_viewport_sees_what_is_behind_its_origin,
    a_captured_camera_captures_the_same_again,
    far_from_the_origin_depth_stays_exact,
    near_things_hide_far_ones_whatever_the_clips,
    things_of_any_size_are_captured,
    a_render_border_leaves_the_view_whole,
    a_camera_of_another_scene_is_refused_by_name,
    what_cannot_be_captured_is_refused_with_a_hint,
)
