"""What artists rely on while the view turns: meshes are kept, and what has changed is seen."""

from __future__ import annotations

import bpy

# isort: split
import bmesh
import numpy as np
from scene_tools import add, camera, capture, cube

from blender_addon.capture import Kept, geometry


def _same(kept, **options):
    """Whether a capture that builds on the last one is that of a fresh one."""
    _, built = capture(as_renders=False, kept=kept, **options)
    _, fresh = capture(as_renders=False, **options)
    return all(np.array_equal(built[kind], fresh[kind], equal_nan=True) for kind in fresh)


def triangles_are_read_as_blender_has_them():
    def shapes(draft):
        bmesh.ops.create_circle(draft, cap_ends=True, segments=11, radius=2)
        bmesh.ops.create_uvsphere(draft, u_segments=9, v_segments=7, radius=1)

    for make in (shapes, lambda draft: bmesh.ops.create_circle(draft, cap_ends=True, segments=3)):
        item = add("Shapes", make)
        graph = bpy.context.evaluated_depsgraph_get()
        read = geometry.read_indexed(item.evaluated_get(graph))
        item.data.calc_loop_triangles()
        expected = [corner for triangle in item.data.loop_triangles for corner in triangle.loops]
        assert read.corner.tolist() == expected


def what_moves_or_changes_its_colour_is_seen_without_reading_it_again():
    box = cube("Box")
    cube("Wall", (0, 6, 0), size=6.0)
    eye = camera((0, -9, 1))
    box.data.materials.append(bpy.data.materials.new("Paint"))
    for use_gpu in (True, False):
        kept = Kept()
        assert _same(kept, use_gpu=use_gpu)
        read = dict(kept.meshes)
        assert len(read) == 2
        box.location.x += 1
        eye.location.x += 0.5
        box.active_material.diffuse_color = (1, 0, float(use_gpu), 1)
        assert _same(kept, use_gpu=use_gpu)
        assert {key: id(mesh) for key, mesh in kept.meshes.items()} == {
            key: id(mesh) for key, mesh in read.items()
        }


def a_mesh_that_has_changed_is_read_again_once_that_is_said():
    box, kept = cube("Box"), Kept()
    camera((0, -9, 1))
    assert _same(kept)
    for vertex in box.data.vertices:
        vertex.co *= 0.5
    box.data.update_tag()
    bpy.context.view_layer.update()
    kept.clear()
    assert _same(kept)


BEHAVIOURS = (
    triangles_are_read_as_blender_has_them,
    what_moves_or_changes_its_colour_is_seen_without_reading_it_again,
    a_mesh_that_has_changed_is_read_again_once_that_is_said,
)
