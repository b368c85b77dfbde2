"""What artists rely on for their materials: they are theirs, before, during and after."""

from __future__ import annotations

import bpy

# isort: split
import addon_tools as base
import numpy as np
import texture_tools as tools
from addon_tools import addon
from texture_checks import QUICK, expected, layers, linear, same, texture
from texture_tools import SIDE


def removing_the_last_layer_gives_the_artists_material_back():
    item = tools.quad()
    made = tools.material()
    picture = made.node_tree.nodes.new("ShaderNodeTexImage")
    picture.image = bpy.data.images.new("own", 8, 8)
    shader = tools.principled(made)
    made.node_tree.links.new(picture.outputs["Color"], shader.inputs["Base Color"])
    made.node_tree.nodes.active = picture
    item.data.materials.append(made)
    tools.only(item)
    before = tools.tree_state(made)
    texture()
    texture(seed=3)
    assert tools.tree_state(made) != before
    bpy.ops.underpaint.layer_remove()
    assert len(layers(item)) == 1
    bpy.ops.underpaint.layer_remove()
    assert tools.tree_state(made) == before
    assert not [g for g in bpy.data.node_groups if g.name.startswith("Underpaint")]
    texture()
    bpy.ops.underpaint.layers_restore()
    assert tools.tree_state(made) == before
    assert item.active_material == made


def restoring_takes_a_made_material_away():
    item = tools.bare_quad()
    texture()
    bpy.ops.underpaint.layers_restore()
    assert item.active_material is None
    assert QUICK not in bpy.data.materials


def other_objects_with_the_same_material_stay_as_they_are():
    item, other = tools.quad(), tools.quad("Other", at=(3, 0, 0))
    made = tools.material()
    for each in (item, other):
        each.data.materials.append(made)
    tools.only(item, other)
    other.select_set(False)
    before = tools.tree_state(made)
    texture()
    assert other.active_material == made
    assert tools.tree_state(made) == before
    assert item.active_material != made
    bpy.ops.underpaint.layers_restore()
    assert item.active_material == made


def a_copied_material_has_layers_of_its_own():
    item, other = tools.quad(), tools.quad("Other", at=(3, 0, 0))
    item.data.materials.append(tools.material(colour=(0.5, 0.5, 0.5, 1)))
    tools.only(item, other)
    other.select_set(False)
    texture(seed=0)
    other.data.materials.append(item.active_material.copy())
    layers(other)[0].opacity = 0
    same(tools.seen(item), linear(expected(0)[..., :3]))
    same(tools.seen(other), np.full((SIDE, SIDE, 3), 0.5))


def a_deleted_group_comes_back_and_goes_for_good():
    item, made = tools.quad(), tools.material()
    item.data.materials.append(made)
    tools.only(item)
    before = tools.tree_state(made)
    texture(seed=0)
    bpy.data.node_groups.remove(addon("layers.nodes").group_node(made).node_tree)
    layers(item)[0].opacity = 0.5
    texture(seed=20)
    same(tools.seen(item), linear(expected(20)[..., :3]))
    bpy.ops.underpaint.layers_restore()
    assert tools.tree_state(made) == before


def a_material_without_nodes_keeps_its_colour_below():
    if bpy.app.version >= (5, 0):
        return
    item, made = tools.quad(), bpy.data.materials.new("Plain")
    made.diffuse_color = (0.1, 0.7, 0.3, 1)
    item.data.materials.append(made)
    tools.only(item)
    texture().opacity = 0
    same(tools.seen(item), np.broadcast_to(np.array((0.1, 0.7, 0.3)), (SIDE, SIDE, 3)))
    bpy.ops.underpaint.layer_remove()
    assert not made.use_nodes


def disabling_leaves_no_handler_and_no_property_and_layers_stay():
    import addon_utils

    item = tools.bare_quad()
    texture(seed=40)
    handlers = bpy.app.handlers
    addon_utils.disable(base.MODULE)
    try:
        for name in ("save_pre", "undo_post", "redo_post"):
            ours = [h for h in getattr(handlers, name) if h.__module__.startswith(base.MODULE)]
            assert not ours, name
        for kind in (bpy.types.Material, bpy.types.Scene, bpy.types.Object):
            assert not [name for name in dir(kind) if name.startswith("underpaint")]
        same(tools.seen(item), wanted_without_addon(40))
    finally:
        addon_utils.enable(base.MODULE)
    assert len(layers(item)) == 1


def wanted_without_addon(seed):
    encoded = expected(seed)[..., :3]
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


BEHAVIOURS = (
    removing_the_last_layer_gives_the_artists_material_back,
    restoring_takes_a_made_material_away,
    other_objects_with_the_same_material_stay_as_they_are,
    a_copied_material_has_layers_of_its_own,
    a_deleted_group_comes_back_and_goes_for_good,
    a_material_without_nodes_keeps_its_colour_below,
    disabling_leaves_no_handler_and_no_property_and_layers_stay,
)
