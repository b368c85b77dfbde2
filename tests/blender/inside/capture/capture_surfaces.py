"""What artists rely on in a capture: what it sees of their surfaces."""

from __future__ import annotations

import bpy

# isort: split
import bmesh
import numpy as np
from scene_tools import (
    GEOMETRY,
    add,
    camera,
    capture,
    cube,
    differences,
    failure,
    refused,
    state,
    viewport,
)

from blender_addon import demo_scene
from blender_addon.capture import not_captured, object_ids
from blender_addon.texture.scene_mesh import extract_mesh
from underpaint.buffers import Kind
from underpaint.errors import ErrorCode
from underpaint.normals import decode_normal


def capturing_leaves_the_scene_as_it_was():
    demo_scene.open_in(bpy.context)
    head = next(item for item in bpy.context.scene.objects if item.name.startswith("Head"))
    bpy.context.view_layer.objects.active = head
    head.select_set(True)
    bpy.context.view_layer.update()
    before = state()
    everything = GEOMETRY | {Kind.COLOR}
    capture(wants=everything)
    capture(viewport(), wants=everything)
    capture(wants=everything, use_gpu=False)
    after = state()
    for key in before:
        assert before[key] == after[key], f"{key} changed: {differences(before[key], after[key])}"


def hidden_things_are_left_out():
    front, back = cube("Front", (0, -3, 0)), cube("Back", (0, 3, 0))
    group = bpy.data.collections.new("Cutters")
    bpy.context.scene.collection.children.link(group)
    group.objects.link(back)
    bpy.context.scene.collection.objects.unlink(back)
    camera((0, -12, 0))
    ids = object_ids(bpy.context.evaluated_depsgraph_get())

    def seen(source=None):
        return set(np.unique(capture(source)[1][Kind.OBJECT_ID])) - {0}

    assert seen() == {ids["Front"]}
    front.hide_render = True
    assert seen() == {ids["Back"]}
    group.hide_render = True
    refused()
    group.hide_render = False
    front.hide_render, front.display_type = False, "WIRE"
    assert ids["Front"] in seen()
    assert seen(viewport()) == {ids["Back"]}


def a_camera_sees_what_renders_show():
    """Whatever the viewport hides, by eye, by monitor, by collection."""
    eye, monitor, apart = cube("Eye", (-4, 0, 0)), cube("Monitor"), cube("Apart", (4, 0, 0))
    group = bpy.data.collections.new("Group")
    bpy.context.scene.collection.children.link(group)
    group.objects.link(apart)
    bpy.context.scene.collection.objects.unlink(apart)
    camera((0, -14, 0))
    before = set(np.unique(capture()[1][Kind.OBJECT_ID])) - {0}
    assert len(before) == 3
    ids = object_ids(bpy.context.evaluated_depsgraph_get())
    eye.hide_set(True)
    monitor.hide_viewport = True
    group.hide_viewport = True
    bpy.context.view_layer.layer_collection.children["Group"].hide_viewport = True
    bpy.context.view_layer.update()
    for use_gpu in (True, False):
        _, arrays = capture(use_gpu=use_gpu)
        columns = [arrays[Kind.OBJECT_ID][50, x] for x in (25, 60, 95)]
        assert len(set(columns) - {0}) == 3, columns
    assert (eye.hide_get(), monitor.hide_viewport, group.hide_viewport) == (True, True, True)
    assert bpy.context.view_layer.layer_collection.children["Group"].hide_viewport
    eye.hide_set(False)
    monitor.hide_viewport = group.hide_viewport = False
    bpy.context.view_layer.layer_collection.children["Group"].hide_viewport = False
    assert object_ids(bpy.context.evaluated_depsgraph_get()) == ids


def a_camera_sees_modifiers_as_renders_do():
    item = cube("Ball")
    finer = item.modifiers.new("Finer", "SUBSURF")
    finer.levels, finer.render_levels = 0, 4
    camera((0, -6, 0))
    _, sharp = capture(as_renders=False)
    _, round_ = capture()
    assert np.isfinite(round_[Kind.DEPTH]).sum() < 0.85 * np.isfinite(sharp[Kind.DEPTH]).sum()
    assert (finer.levels, finer.render_levels, finer.show_viewport) == (0, 4, True)
    finer.show_viewport = False
    _, again = capture()
    assert np.array_equal(again[Kind.OBJECT_ID], round_[Kind.OBJECT_ID])
    finer.show_render = False
    _, without = capture()
    assert np.array_equal(without[Kind.OBJECT_ID], sharp[Kind.OBJECT_ID])
    assert (finer.show_viewport, finer.levels) == (False, 0)


def what_is_no_surface_is_named():
    cube("Cube")
    for kind, make in (("CURVES", "hair_curves"), ("POINTCLOUD", "pointclouds")):
        data = getattr(bpy.data, make).new(kind)
        item = bpy.data.objects.new(kind.title(), data)
        bpy.context.scene.collection.objects.link(item)
    told = not_captured(bpy.context.evaluated_depsgraph_get())
    assert "hair curves (Curves)" in told, told
    assert "a point cloud (Pointcloud)" in told, told
    for item in bpy.context.scene.objects:
        item.hide_render = item.type != "MESH"
    assert not_captured(bpy.context.evaluated_depsgraph_get()) == []


def a_scene_of_instanced_collections_is_seen():
    wheel = cube("Wheel")
    group = bpy.data.collections.new("Car")
    group.objects.link(wheel)
    bpy.context.scene.collection.objects.unlink(wheel)
    for x in (-3, 0, 3):
        item = bpy.data.objects.new("Instance", None)
        item.instance_type, item.instance_collection, item.location = "COLLECTION", group, (x, 0, 0)
        bpy.context.scene.collection.objects.link(item)
    camera((0, -14, 0))
    wheel.hide_viewport = True
    _, arrays = capture()
    assert all(arrays[Kind.OBJECT_ID][50, x] for x in (34, 60, 86))
    assert wheel.hide_viewport


def faces_seen_from_behind_have_normals_to_the_viewer():
    add("Plane", lambda draft: bmesh.ops.create_grid(draft, x_segments=1, y_segments=1, size=2))
    for side in (5, -5):
        camera((0, -3, side))
        for use_gpu in (True, False):
            _, arrays = capture(use_gpu=use_gpu)
            normal = decode_normal(arrays[Kind.NORMAL])[np.isfinite(arrays[Kind.DEPTH])]
            assert (normal[:, 2] > 0.5).all(), (side, use_gpu)


def colour_shows_the_same_outlines_as_depth():
    item = cube("Cube")
    item.data.materials.append(bpy.data.materials.new("Red"))
    item.data.materials[0].diffuse_color = (0.9, 0.05, 0.05, 1)
    camera((4, -5, 3))
    for use_gpu in (True, False):
        viewport().space.overlay.show_overlays = True
        _, arrays = capture(size=(160, 120), wants=GEOMETRY | {Kind.COLOR}, use_gpu=use_gpu)
        red = arrays[Kind.COLOR][..., :3].astype(int)
        shown = red[..., 0] - red[..., 1] > 30
        seen = np.isfinite(arrays[Kind.DEPTH])
        assert (shown & seen).sum() / (shown | seen).sum() > 0.95, use_gpu


def uvs_are_those_of_the_map_that_renders_use():
    plane = add("Plane", lambda d: bmesh.ops.create_grid(d, x_segments=1, y_segments=1, size=1))
    camera((0.5, -2, 3))
    _, arrays = capture()
    assert np.isnan(arrays[Kind.UV]).all(), "a mesh without UVs has none"
    for name, scale in (("Drawn", 1.0), ("Rendered", 0.5)):
        layer = plane.data.uv_layers.new(name=name)
        for loop in plane.data.loops:
            x, y, _z = plane.data.vertices[loop.vertex_index].co
            layer.uv[loop.index].vector = ((x + 1) / 2 * scale, (y + 1) / 2 * scale)
    plane.data.uv_layers["Rendered"].active_render = True
    _, arrays = capture()
    seen = np.isfinite(arrays[Kind.DEPTH])
    expected = (arrays[Kind.POSITION][seen][:, :2] + 1) / 4
    assert np.abs(arrays[Kind.UV][seen] - expected).max() < 1e-5


def edits_in_progress_are_captured():
    item = cube("Cube")
    camera((0, -12, 0))
    bpy.context.view_layer.objects.active = item
    _, before = capture()
    bpy.ops.object.mode_set(mode="EDIT")
    draft = bmesh.from_edit_mesh(item.data)
    bmesh.ops.scale(draft, vec=(2, 2, 2), verts=draft.verts)
    bmesh.update_edit_mesh(item.data)
    _, after = capture()
    bpy.ops.object.mode_set(mode="OBJECT")
    grown = np.isfinite(after[Kind.DEPTH]).sum() / np.isfinite(before[Kind.DEPTH]).sum()
    assert grown > 3.5, grown


def text_and_curves_are_captured():
    data = bpy.data.curves.new("Text", "FONT")
    data.body, data.extrude = "Up", 0.1
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Text", data))
    camera((0.6, 0.3, 6), (0.6, 0.3, 0))
    _, arrays = capture()
    assert 0.01 < np.isfinite(arrays[Kind.DEPTH]).mean() < 0.5


def meshes_carry_the_ids_and_places_of_the_views():
    near, far = cube("Near", (0, -3, 0)), cube("Far", (3, 3, 0))
    far.scale = (-1, 1, 2)
    far.data.materials.append(None)
    far.modifiers.new("Array", "ARRAY").count = 2
    near.data.uv_layers.new(name="UVMap")
    camera((0, -12, 0))
    depsgraph = bpy.context.evaluated_depsgraph_get()
    found = extract_mesh([near, far], depsgraph)
    position, normal, uv, ids = (
        found.buffers[ref.sha256]
        for ref in (found.mesh.position, found.mesh.normal, found.mesh.uv, found.mesh.ids)
    )
    assert {i: item.name for i, item in found.objects.items()} == {
        i: name for name, i in object_ids(depsgraph).items()
    }
    assert found.without_uv == ("Far",)
    assert len(position) == len(normal) == len(uv) == len(ids) == 3 * (12 + 24)
    assert (ids[:, 1] == 1).all()
    a, b, c = position[0::3], position[1::3], position[2::3]
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), normal[0::3]) > 0).all()
    _, arrays = capture()
    seen = arrays[Kind.OBJECT_ID] == ids[0, 0]
    own = position[ids[:, 0] == ids[0, 0]]
    assert (arrays[Kind.POSITION][seen] > own.min(axis=0) - 1e-4).all()
    assert (arrays[Kind.POSITION][seen] < own.max(axis=0) + 1e-4).all()


def meshes_that_cannot_be_painted_are_refused_with_a_hint():
    empty = bpy.data.objects.new("Empty", None)
    bare = bpy.data.objects.new("Bare", bpy.data.meshes.new("Bare"))
    for item in (empty, bare):
        bpy.context.scene.collection.objects.link(item)
    broken = cube("Broken")
    broken.data.vertices[0].co.x = float("nan")
    depsgraph = bpy.context.evaluated_depsgraph_get()
    for objects in ([], [empty], [bare], [broken]):
        failure(lambda given=objects: extract_mesh(given, depsgraph), ErrorCode.BAD_MESH)


BEHAVIOURS = (
    capturing_leaves_the_scene_as_it_was,
    hidden_things_are_left_out,
    a_camera_sees_what_renders_show,
    a_camera_sees_modifiers_as_renders_do,
    what_is_no_surface_is_named,
    a_scene_of_instanced_collections_is_seen,
    faces_seen_from_behind_have_normals_to_the_viewer,
    colour_shows_the_same_outlines_as_depth,
    uvs_are_those_of_the_map_that_renders_use,
    edits_in_progress_are_captured,
    text_and_curves_are_captured,
    meshes_carry_the_ids_and_places_of_the_views,
    meshes_that_cannot_be_painted_are_refused_with_a_hint,
)
