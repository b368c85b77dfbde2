"""What artists rely on in texture layers: how they mix and what they show."""

from __future__ import annotations

import time
from pathlib import Path

import bpy

# isort: split
import numpy as np
import texture_tools as tools
from addon_tools import addon, draw, live, pump_until, refusal
from texture_checks import (
    BYTE,
    QUICK,
    expected,
    layers,
    linear,
    live_until_shown,
    same,
    settings,
    shadings,
    srgb,
    texture,
)
from texture_tools import SIDE


def a_texture_becomes_a_layer_and_the_object_gets_a_material():
    item = tools.bare_quad()
    assert not item.material_slots
    layer = texture(seed=40)
    assert [m.name for m in item.data.materials] == [QUICK]
    assert layer.name == QUICK
    assert layer.paint.image["digital_source_type"].endswith("trainedAlgorithmicMedia")
    same(tools.seen(item), linear(expected(40)[..., :3]))
    assert len(layers(item)) == 1


def solid_shading_shows_it_at_once():
    item = tools.bare_quad()
    layer = texture()
    areas = [a for w in bpy.context.window_manager.windows for a in w.screen.areas]
    solid = [a.spaces.active.shading for a in areas if a.type == "VIEW_3D"]
    assert solid
    assert all(s.color_type == "TEXTURE" for s in solid if s.type == "SOLID")
    shown = [n for n in item.active_material.node_tree.nodes if getattr(n, "show_texture", False)]
    assert [n.image for n in shown] == [layer.paint.image]


def solid_shading_shows_a_stack_put_together():
    item = tools.clay_quad(colour=(0.5, 0.5, 0.5, 1))
    texture().opacity = 0.5
    live_until_shown()
    image = addon("layers.nodes").display_node(item.active_material).image
    picture = addon("layers.pixels").read(image)[..., :3]
    wanted = linear(expected(side=512)[..., :3]) * 0.5 + 0.25
    assert np.abs(picture - srgb(wanted)).max() < 6 / 255


def layers_mix_by_order_opacity_and_eye():
    item = tools.quad()
    own = (0.2, 0.4, 0.6)
    item.data.materials.append(tools.material(colour=(*own, 1)))
    tools.only(item)
    texture(seed=0)
    texture(seed=255)
    low, high = (linear(expected(s)[..., :3]) for s in (0, 255))
    top, bottom = layers(item)
    top.opacity, bottom.opacity = 0.25, 0.5
    ground = low * 0.5 + np.array(own) * 0.5
    same(tools.seen(item), ground * 0.75 + high * 0.25)
    bpy.ops.underpaint.layer_move(by=1)
    under = np.array(own) * 0.75 + high * 0.25
    same(tools.seen(item), under * 0.5 + low * 0.5)
    layers(item)[0].visible = False
    same(tools.seen(item), under)


def a_mask_says_where_a_layer_shows():
    item = tools.clay_quad(colour=(0.5, 0.5, 0.5, 1))
    layer = texture()
    bpy.ops.underpaint.mask_paint(what="LAYER")
    assert bpy.context.mode == "PAINT_TEXTURE"
    assert bpy.context.scene.tool_settings.image_paint.canvas == layer.mask
    assert "SOLID" not in shadings(), "the mask is seen over the paint"
    half = np.zeros((*layer.mask.size, 4), np.float32)
    half[:, : SIDE // 2] = 1
    layer.mask.pixels.foreach_set(half.ravel())
    bpy.ops.underpaint.mask_done()
    assert bpy.context.mode == "OBJECT"
    assert "MATERIAL" not in shadings(), "and the shading is as before"
    shown = tools.seen(item)
    wanted = linear(expected()[..., :3])
    left, right = slice(None, SIDE // 2), slice(SIDE // 2, None)
    same(shown[:, left], wanted[:, left])
    same(shown[:, right], np.full_like(wanted[:, right], 0.5))
    bpy.ops.underpaint.mask_clear(what="LAYER")
    same(tools.seen(item), wanted)


def flatten_looks_just_the_same():
    item = tools.clay_quad()
    texture(seed=0)
    texture(seed=200)
    texture(seed=90)
    top, middle, _bottom = layers(item)
    top.opacity, middle.opacity = 0.3, 0.6
    layers(item)[2].opacity = 0.7
    ramp = np.ones((SIDE, SIDE, 4), np.float32)
    ramp[..., :3] = np.linspace(0, 1, SIDE)[None, :, None]
    bpy.ops.underpaint.mask_paint(what="LAYER")
    top.mask.pixels.foreach_set(ramp.ravel())
    bpy.ops.underpaint.mask_done()
    before = tools.seen(item)
    bpy.ops.underpaint.layers_flatten()
    assert len(layers(item)) == 1
    same(tools.seen(item), before, 2.5 / 255)


def flatten_does_not_make_the_window_wait():
    item = tools.clay_quad()
    settings().size = 512
    for seed in (0, 200, 90):
        texture(seed=seed).opacity = 0.6
    live_until_shown()
    before = tools.seen(item)
    flatten, reading = addon("layers.flatten"), addon("layers.reading")
    planned = flatten.plan(item.active_material, Path(bpy.app.tempdir))
    whole = seconds(lambda: flatten.sums(planned, reading.at_once(flatten.wanted(planned))))
    assert bpy.ops.underpaint.layers_flatten(wait=False) == {"FINISHED"}
    assert "Flattening Clay" in draw("UNDERPAINT_PT_layers").texts
    pieces = []
    while live().works:
        pieces.append(seconds(live().do_a_piece))
        time.sleep(0.005)
    assert len(layers(item)) == 3, "nothing has changed yet"
    addon("pump").tick()
    assert len(layers(item)) == 1
    same(tools.seen(item), before, 2.5 / 255)
    longest = max(pieces)
    print(f"         flatten: {whole * 1000:.0f} ms, in pieces of up to {longest * 1000:.1f} ms")
    assert longest < whole / 5


def seconds(work):
    """What a call takes of this thread's time: a busy machine's other work is not ours."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def layers_that_change_while_they_are_flattened_stay():
    item = tools.clay_quad()
    texture(seed=0)
    texture(seed=200)
    bpy.ops.underpaint.layers_flatten(wait=False)
    assert "already" in refusal(lambda: bpy.ops.underpaint.layers_flatten(wait=False))
    layers(item)[0].opacity = 0.5
    pump_until(lambda: not live().drawing, 20)
    assert len(layers(item)) == 2
    assert "changed while they were flattened" in live().error.message
    bpy.ops.underpaint.layers_flatten()
    assert len(layers(item)) == 1


def solid_shading_shows_each_udim_tile():
    item = tools.two_tiles()
    tools.only(item)
    texture(seed=10).opacity = 0.5
    live_until_shown()
    image = addon("layers.nodes").display_node(item.active_material).image
    assert [tile.number for tile in image.tiles] == [1001, 1002]
    own = np.array((0.2, 0.4, 0.6))
    for number, seed in ((1001, 10), (1002, 26)):
        picture = addon("layers.pixels").read_tile(image, number)[..., :3]
        wanted = linear(expected(seed, 512)[..., :3]) * 0.5 + own * 0.5
        assert np.abs(picture - srgb(wanted)).max() < 6 / 255
    blend = Path(bpy.app.tempdir) / "tiled.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    assert live().drawing, "and it is put together anew when the file is opened"


def material_maps_are_plugged_in_and_out_again():
    item, made = tools.quad(), tools.material()
    item.data.materials.append(made)
    tools.only(item)
    before = tools.tree_state(made)
    settings().pbr = True
    layer = texture()
    assert abs(tools.seen(item, kind="ROUGHNESS").mean() - 200 / 255) < BYTE
    layer.opacity = 0.5
    rough = tools.principled(made).inputs["Roughness"].default_value
    assert abs(tools.seen(item, kind="ROUGHNESS").mean() - (200 / 255 + rough) / 2) < BYTE
    assert tools.principled(made).inputs["Normal"].is_linked
    assert layer.paint.height is not None
    assert layer.paint.ao is not None
    bent = tools.seen(item, kind="NORMAL")
    bpy.ops.underpaint.layers_flatten()
    assert abs(tools.seen(item, kind="ROUGHNESS").mean() - (200 / 255 + rough) / 2) < BYTE
    assert np.abs(tools.seen(item, kind="NORMAL") - bent).max() < 0.03
    bpy.ops.underpaint.layer_remove()
    assert tools.tree_state(made) == before


def udim_tiles_become_one_tiled_image():
    item = tools.two_tiles()
    tools.only(item)
    layer = texture(seed=10)
    image = layer.paint.image
    assert image.source == "TILED"
    assert [tile.number for tile in image.tiles] == [1001, 1002]
    read = addon("layers.pixels").read_tile
    assert np.allclose(read(image, 1002), expected(26), atol=1e-3)
    layer.opacity = 0.5
    bpy.ops.underpaint.layers_flatten()
    flat = layers(item)[0].paint.image
    assert [tile.number for tile in flat.tiles] == [1001, 1002]
    assert np.abs(read(flat, 1002)[..., 3] - 0.5).max() < BYTE


def two_objects_are_painted_in_one_job_each_on_its_own_texture():
    left, right = tools.quad("Left"), tools.quad("Right", at=(3, 0, 0))
    left.data.materials.append(tools.material("A"))
    tools.only(left, right)
    texture(seed=10)
    same(tools.seen(left), linear(expected(10)[..., :3]))
    same(tools.seen(right), linear(expected(26)[..., :3]))
    assert layers(left)[0].uid == layers(right)[0].uid
    assert left.active_material != right.active_material


def every_panel_draws_quickly_with_layers():
    tools.bare_quad()
    bpy.context.scene.underpaint.mode = "TEXTURE"
    for panel in ("UNDERPAINT_PT_main", "UNDERPAINT_PT_layers", "UNDERPAINT_PT_edit"):
        draw(panel)
    for seed in range(6):
        texture(seed=seed)
    bpy.ops.underpaint.reroll(timeout=120)
    for panel in ("main", "layers", "edit", "texture"):
        times = []
        for _ in range(5):
            began = time.thread_time()  # a busy machine's other work is not ours
            drawn = draw(f"UNDERPAINT_PT_{panel}")
            times.append(time.thread_time() - began)
        assert drawn.layout.drawn
        assert min(times) < 0.005, (panel, times)
        print(f"         {panel}: drawn in {min(times) * 1000:.2f} ms")


BEHAVIOURS = (
    a_texture_becomes_a_layer_and_the_object_gets_a_material,
    solid_shading_shows_it_at_once,
    solid_shading_shows_a_stack_put_together,
    layers_mix_by_order_opacity_and_eye,
    a_mask_says_where_a_layer_shows,
    flatten_looks_just_the_same,
    flatten_does_not_make_the_window_wait,
    layers_that_change_while_they_are_flattened_stay,
    solid_shading_shows_each_udim_tile,
    material_maps_are_plugged_in_and_out_again,
    udim_tiles_become_one_tiled_image,
    two_objects_are_painted_in_one_job_each_on_its_own_texture,
    every_panel_draws_quickly_with_layers,
)
