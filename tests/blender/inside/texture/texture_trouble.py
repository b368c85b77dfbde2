"""What artists rely on when something happens while it is painted, or after."""

from __future__ import annotations

from pathlib import Path

import bpy

# isort: split
import addon_tools as base
import numpy as np
import texture_tools as tools
from addon_tools import live, pump_until
from texture_checks import SLOW, begin, layers, same, settings, texture
from texture_tools import SIDE


def the_object_may_be_renamed_while_it_is_painted():
    item = tools.clay_quad()
    task = begin()
    item.name, item.active_material.name = "Renamed", "Renamed too"
    pump_until(lambda: task.ended)
    assert len(bpy.data.objects["Renamed"].active_material.underpaint.layers) == 1
    assert live().error is None


def the_object_may_be_deleted_while_it_is_painted():
    item = tools.bare_quad()
    task = begin()
    bpy.data.objects.remove(item)
    pump_until(lambda: task.ended)
    assert live().error.code == "bad_mesh"
    assert "'Plane' is not in this file any more" in live().error.message
    assert bpy.data.images[SLOW].use_fake_user


def the_material_may_be_swapped_while_it_is_painted():
    item = tools.clay_quad("Old")
    task = begin()
    item.data.materials[0] = tools.material("New")
    pump_until(lambda: task.ended)
    assert len(bpy.data.materials["New"].underpaint.layers) == 1


def the_file_may_be_opened_again_while_it_is_painted():
    tools.bare_quad()
    settings().prompt = SLOW
    blend = Path(bpy.app.tempdir) / "again.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    task = begin()
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    pump_until(lambda: task.ended)
    assert len(layers(bpy.data.objects["Plane"])) == 1


def the_daemon_may_be_killed_while_it_paints():
    import os
    import signal

    item = tools.bare_quad()
    task = begin("steps=40 seconds=0.05")
    pump_until(lambda: task.step > 1)
    os.kill(base.daemon_pid(), signal.SIGKILL)
    pump_until(lambda: task.ended)
    assert task.error is None, task.error
    assert len(layers(item)) == 1


def cancelling_leaves_the_material_as_it_was():
    item, made = tools.quad(), tools.material()
    item.data.materials.append(made)
    tools.only(item)
    before = tools.tree_state(made)
    task = begin("steps=60 seconds=0.05")
    pump_until(lambda: task.step > 1)
    bpy.ops.underpaint.cancel()
    pump_until(lambda: task.ended)
    assert live().error is None
    assert tools.tree_state(made) == before
    assert not len(made.underpaint.layers)


def saving_and_opening_keeps_layers_masks_and_flat_images():
    item = tools.clay_quad()
    texture(seed=0)
    texture(seed=200)
    bpy.ops.underpaint.layers_flatten()
    texture(seed=90).opacity = 0.4
    bpy.ops.underpaint.mask_paint(what="LAYER")
    layer = layers(item)[0]
    spot = np.ones((SIDE, SIDE, 4), np.float32)
    spot[: SIDE // 2, :, :3] = 0
    layer.mask.pixels.foreach_set(spot.ravel())
    bpy.ops.underpaint.mask_done()
    before = tools.seen(item)
    blend = Path(bpy.app.tempdir) / "kept.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    item = bpy.data.objects["Plane"]
    assert [layer.opacity == 1 for layer in layers(item)] == [False, True]
    same(tools.seen(item), before)
    bpy.ops.underpaint.layer_remove()
    assert len(layers(item)) == 1


BEHAVIOURS = (
    the_object_may_be_renamed_while_it_is_painted,
    the_object_may_be_deleted_while_it_is_painted,
    the_material_may_be_swapped_while_it_is_painted,
    the_file_may_be_opened_again_while_it_is_painted,
    the_daemon_may_be_killed_while_it_paints,
    cancelling_leaves_the_material_as_it_was,
    saving_and_opening_keeps_layers_masks_and_flat_images,
)
