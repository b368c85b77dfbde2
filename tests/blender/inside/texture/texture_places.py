"""What artists rely on where a layer is seen, weak, or painted by one view."""

from __future__ import annotations

from pathlib import Path

import bpy

# isort: split
import numpy as np
import texture_tools as tools
from addon_tools import addon, live, refusal
from texture_checks import same, texture
from texture_tools import SIDE


def a_layer_is_seen_by_height_or_slope():
    item = tools.clay_quad(colour=(0.5, 0.5, 0.5, 1))
    layer = texture()
    painted = tools.seen(item)
    assert bpy.ops.underpaint.mask_by_form(form="SLOPE", low=0, high=0.2) == {"FINISHED"}
    same(tools.seen(item), painted)  # it looks up
    item.rotation_euler.x = np.pi / 2
    bpy.context.view_layer.update()
    assert bpy.ops.underpaint.mask_by_form(form="SLOPE", low=0, high=0.2) == {"FINISHED"}
    same(tools.seen(item), np.full_like(painted, 0.5))  # it stands
    bpy.ops.underpaint.mask_by_form(form="HEIGHT", low=0.5, high=1, soft=0.01)
    top, bottom = slice(0, SIDE // 2 - 2), slice(SIDE // 2 + 2, None)
    same(tools.seen(item)[top], painted[top])
    same(tools.seen(item)[bottom], np.full_like(painted[bottom], 0.5))
    assert layer.mask is not None


def a_heat_map_lies_over_the_object_and_goes_again():
    item = tools.bare_quad()
    layer = texture()
    display = addon("layers.nodes").display_node(item.active_material)
    painted = display.image
    assert "no heat map" in refusal(bpy.ops.underpaint.layer_weak)
    live().error = None
    file = Path(bpy.path.abspath(layer.paint.image.filepath))
    file.with_name("heat_map.png").write_bytes(file.read_bytes())  # the starter makes one
    images = len(bpy.data.images)
    assert bpy.ops.underpaint.layer_weak() == {"FINISHED"}
    assert display.image.filepath.endswith("heat_map.png")
    assert bpy.ops.underpaint.layer_weak() == {"FINISHED"}
    assert display.image == painted
    assert len(bpy.data.images) == images


def a_click_marks_what_the_same_view_painted():
    item = tools.bare_quad()
    layer = texture()
    assert "which view" in refusal(lambda: bpy.ops.underpaint.mark_view(uv=(0.2, 0.5)))
    live().error = None
    file = Path(bpy.path.abspath(layer.paint.image.filepath)).with_name("provenance.npz")
    views = np.zeros((SIDE, SIDE), np.int16)
    views[:, SIDE // 2 :] = 1
    views[0] = -1
    np.savez(file, view_1001=views)  # the starter's job leaves it
    assert bpy.ops.underpaint.mark_view(uv=(0.2, 0.5)) == {"FINISHED"}
    mask = addon("layers.pixels").read(item.active_material.underpaint.edit_mask)[..., 0]
    assert (mask > 0.5).mean() == np.mean(views == 0)
    assert mask[5, 5] == 1
    assert "no view" in refusal(lambda: bpy.ops.underpaint.mark_view(uv=(0.2, 0.999)))
    live().error = None
    seen = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    _hit, place, _normal, face = seen.ray_cast((0.5, -0.5, 3), (0, 0, -1))
    found = addon("operators.marking").uv_at(seen, face, place)
    assert np.allclose(found, (0.75, 0.25), atol=1e-5)


BEHAVIOURS = (
    a_layer_is_seen_by_height_or_slope,
    a_heat_map_lies_over_the_object_and_goes_again,
    a_click_marks_what_the_same_view_painted,
)
