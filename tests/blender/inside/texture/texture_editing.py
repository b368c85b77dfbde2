"""What artists rely on when they change a part of a texture, or try again."""

from __future__ import annotations

from pathlib import Path

import bpy

# isort: split
import numpy as np
import texture_tools as tools
from addon_tools import addon, refusal
from texture_checks import (
    BYTE,
    QUICK,
    expected,
    layers,
    linear,
    live_until_shown,
    same,
    settings,
    texture,
)
from texture_tools import SIDE


def trying_again_keeps_the_old_until_decided():
    item = tools.bare_quad()
    old = texture(seed=40).paint.image
    bpy.ops.underpaint.reroll(timeout=120)
    assert len(layers(item)) == 1
    layer = layers(item)[0]
    new = layer.candidate.image
    assert layer.look.image == new
    assert layer.paint.image == old
    asked = [image["underpaint_request"] for image in (old, new)]
    strip = [text.split('"seed":')[0] for text in asked]
    assert strip[0] == strip[1]
    assert asked[0] != asked[1]
    bpy.ops.underpaint.layer_decide(accept=False)
    same(tools.seen(item), linear(expected(40)[..., :3]))
    bpy.ops.underpaint.reroll(timeout=120)
    new = layers(item)[0].candidate.image
    bpy.ops.underpaint.layer_decide(accept=True)
    assert layers(item)[0].paint.image == new
    assert layers(item)[0].candidate.image is None


def a_painted_place_is_repainted_and_nothing_else():
    item = tools.clay_quad()
    texture(seed=0)
    settings().prompt = QUICK
    assert "where to repaint" in refusal(lambda: bpy.ops.underpaint.repaint(timeout=60))
    bpy.ops.underpaint.mask_paint()
    mask = item.active_material.underpaint.edit_mask
    spot = np.zeros((SIDE, SIDE, 4), np.float32)
    spot[..., 3] = 1
    spot[10:30, 20:50] = 1  # rows from below
    mask.pixels.foreach_set(spot.ravel())
    bpy.ops.underpaint.mask_done()
    before = tools.seen(item)
    layer = texture(seed=250, how=bpy.ops.underpaint.repaint)
    assert item.active_material.underpaint.edit_mask is None
    assert [len(layers(item)), layer.mask is not None] == [2, True]
    after = tools.seen(item)
    rows, columns = slice(SIDE - 30, SIDE - 10), slice(20, 50)
    same(after[rows, columns], linear(expected(250)[..., :3])[rows, columns])
    far = np.ones((SIDE, SIDE), bool)
    far[SIDE - 31 : SIDE - 9, 19:51] = False
    assert np.abs(after - before)[far].max() < 1e-6, "all else stays"
    live_until_shown()
    shown = addon("layers.nodes").display_node(item.active_material).image
    picture = addon("layers.pixels").read(shown)[..., :3]
    middle = picture[(SIDE - 20) * 8, 35 * 8]
    assert np.abs(middle - expected(250, 512)[(SIDE - 20) * 8, 35 * 8, :3]).max() < 4 / 255
    assert np.abs(before - after).max() > 0.1


def selected_faces_are_repainted():
    item = tools.grid(cells=4)
    tools.only(item)
    texture(seed=0)
    for face in item.data.polygons:
        middle = face.center
        face.select = middle.x < 0 and middle.y > 0  # the upper left quarter
    bpy.ops.object.mode_set(mode="EDIT")
    layer = texture(seed=250, how=bpy.ops.underpaint.repaint)
    bpy.ops.object.mode_set(mode="OBJECT")
    mask = addon("layers.pixels").read(layer.mask)[..., 0]
    half = SIDE // 2
    assert mask[: half - 3, : half - 3].min() == 1
    assert mask[half + 3 :].max() == 0
    assert mask[:, half + 3 :].max() == 0


def masks_lie_on_every_udim_tile():
    item = tools.two_tiles()
    tools.only(item)
    texture(seed=0)
    bpy.ops.underpaint.mask_paint()
    mask = item.active_material.underpaint.edit_mask
    assert [tile.number for tile in mask.tiles] == [1001, 1002]
    spot = np.zeros((SIDE, SIDE), bool)
    spot[10:30, 20:50] = True
    paint_tile(mask, 1002, spot)
    bpy.ops.underpaint.mask_done()
    layer = texture(seed=250, how=bpy.ops.underpaint.repaint)
    read = addon("layers.pixels").read_tile
    assert not read(layer.mask, 1001)[..., :3].any()
    assert np.array_equal(read(layer.mask, 1002)[..., 0] == 1, spot)
    below, above = (read(layers(item)[i].paint.image, 1002) for i in (1, 0))
    assert np.array_equal(above[~spot], below[~spot])
    assert np.abs(above - expected((250 + 16) % 256))[spot].max() < BYTE
    bpy.ops.underpaint.mask_paint(what="LAYER")
    bpy.ops.underpaint.mask_done()
    bpy.ops.underpaint.layers_flatten()
    flat = layers(item)[0].paint.image
    assert np.abs(read(flat, 1002) - above).max() < BYTE


def selected_faces_may_lie_on_several_udim_tiles():
    item = tools.two_tiles()
    tools.only(item)
    texture(seed=0)
    for part in (item.data.vertices, item.data.edges):
        part.foreach_set("select", np.zeros(len(part), bool))  # else they select their faces
    for face in item.data.polygons:
        face.select = face.center.x > 1  # the square on the second tile
    bpy.ops.object.mode_set(mode="EDIT")
    layer = texture(seed=250, how=bpy.ops.underpaint.repaint)
    bpy.ops.object.mode_set(mode="OBJECT")
    read = addon("layers.pixels").read_tile
    assert read(layer.mask, 1002)[..., 0].min() == 1
    assert read(layer.mask, 1001)[..., 0].max() == 0


def a_mask_of_a_layer_lies_on_its_udim_tiles():
    item = tools.two_tiles()
    tools.only(item)
    layer = texture(seed=0)
    bpy.ops.underpaint.mask_paint(what="LAYER")
    layer = layers(item)[0]
    read = addon("layers.pixels").read_tile
    assert all(read(layer.mask, number).min() == 1 for number in (1001, 1002))
    half = np.arange(SIDE) < SIDE // 2
    paint_tile(layer.mask, 1002, np.tile(half, (SIDE, 1)))
    bpy.ops.underpaint.mask_done()
    bpy.ops.underpaint.layers_flatten()
    flat = layers(item)[0].paint.image
    assert np.array_equal(read(flat, 1002)[..., 3], np.tile(half, (SIDE, 1)).astype(np.float32))
    assert read(flat, 1001)[..., 3].min() == 1


def reading_unsaved_paint_on_udim_tiles_loses_nothing():
    item = tools.two_tiles()
    tools.only(item)
    layer = texture(seed=0)
    image = layer.paint.image
    painted = np.ones(SIDE * SIDE * 4, np.float32)
    image.pixels.foreach_set(painted)
    read = addon("layers.pixels").read_tile
    assert read(image, 1001).min() == 1, "what is seen is what was painted"
    assert np.allclose(read(image, 1002), expected(16), atol=1e-3)
    assert image.is_dirty, "and it is still to be saved"
    blend = Path(bpy.app.tempdir) / "painted.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    image = layers(bpy.data.objects["Plane"])[0].paint.image
    assert read(image, 1001).min() == 1


def paint_tile(mask, number, where):
    """Make one tile of a mask white where a pattern holds, through its file: scripts can reach the
    first tile only."""
    path = Path(bpy.path.abspath(mask.filepath).replace("<UDIM>", str(number)))
    path.write_bytes(addon("layers.ready").png(addon("layers.compose").to_rgba(where)))
    mask.reload()


def restyle_starts_from_what_is_seen():
    item = tools.bare_quad()
    texture(seed=0)
    settings().strength = 0.25
    layer = texture(seed=200, how=bpy.ops.underpaint.restyle)
    assert '"strength":0.25' in layer.paint.image["underpaint_request"]
    wanted = expected(0) * 0.75 + expected(200) * 0.25
    same(tools.seen(item), linear(wanted[..., :3]))
    assert len(layers(item)) == 2


BEHAVIOURS = (
    trying_again_keeps_the_old_until_decided,
    a_painted_place_is_repainted_and_nothing_else,
    selected_faces_are_repainted,
    masks_lie_on_every_udim_tile,
    selected_faces_may_lie_on_several_udim_tiles,
    a_mask_of_a_layer_lies_on_its_udim_tiles,
    reading_unsaved_paint_on_udim_tiles_loses_nothing,
    restyle_starts_from_what_is_seen,
)
