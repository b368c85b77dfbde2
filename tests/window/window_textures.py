"""Runs inside a Blender with its window: an artist textures a cow, with screenshots.

    blender --python window_textures.py -- OUT_FOLDER EXTENSION.zip

See `window_tools`.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from window_tools import (
    REPORT,
    addon,
    begin,
    inside,
    install,
    live,
    measure_ticks,
    screen,
    screenshot,
    show_sidebar,
    until_shown,
    viewport,
    wait,
    window,
)

COW = Path(__file__).resolve().parents[1] / "data" / "spot.obj"
# A long step: its preview must be seen without the next step's help.
LONG, SHORT = "steps=50 seconds=6", "steps=10 seconds=0.05"
# Other prompts, when pictures are wanted of what a real model paints.
FIRST, SECOND = os.environ.get("UNDERPAINT_PROMPTS", f"{SHORT}|{SHORT}").split("|")


def story() -> Iterator[float]:
    """What the artist does, a step at a time; each `yield` lets Blender draw and tick."""
    install()
    yield from prepare()
    yield from what_a_single_view_will_not_see_is_shown_red()
    if FIRST == SHORT:
        yield from the_texture_grows_on_the_object()
    yield from the_finished_texture_is_a_layer_shown_in_solid()
    yield from it_is_one_undo_step()
    yield from a_mask_is_painted_and_repainted()
    yield from flattening_lets_the_window_live_and_is_one_undo_step()


def prepare() -> Iterator[float]:
    with bpy.context.temp_override(window=window()):
        for item in list(bpy.context.scene.objects):
            bpy.data.objects.remove(item)
        bpy.ops.wm.obj_import(filepath=str(COW))
    cow().name = "Spot"
    for polygon in cow().data.polygons:
        polygon.use_smooth = True
    settings = bpy.context.scene.underpaint_texture
    bpy.context.scene.underpaint.mode = "TEXTURE"
    settings.size, settings.seed = 512, 60
    settings.mask_over_paint = False  # Material Preview takes a minute without a GPU
    view = viewport().spaces.active.region_3d
    view.view_rotation = (-0.28, -0.18, 0.52, 0.78)  # before its face
    yield from show_sidebar()
    with inside():
        bpy.ops.view3d.view_selected()
    yield 0.5
    screenshot("t1_ready")


def what_a_single_view_will_not_see_is_shown_red() -> Iterator[float]:
    """It stands with its side to the view: the front alone sees little of that."""
    settings = bpy.context.scene.underpaint_texture
    before, usual = redness(screen()), settings.view_count
    settings.view_count = 1
    with inside():
        bpy.ops.underpaint.coverage()
    yield from wait(lambda: addon("coverage.shown").current(bpy.context))
    shown = yield from until_shown("t1_coverage", redness, lambda red: red > before + 0.005)
    REPORT["unseen_red"] = shown - before
    with inside():
        bpy.ops.underpaint.coverage()
    settings.view_count = usual
    yield 0.5


def redness(shown: np.ndarray) -> float:
    """The part of the viewport that is red."""
    area = viewport()
    part = shown[area.y : area.y + area.height, area.x : area.x + area.width]
    return float(((part[..., 0] > 0.6) & (part[..., 1:].max(-1) < 0.45)).mean())


def the_texture_grows_on_the_object() -> Iterator[float]:
    bpy.context.scene.underpaint_texture.prompt = LONG
    before = colourfulness(screenshot("t1_ready"))
    with inside():
        began = time.perf_counter()
        assert bpy.ops.underpaint.texture() == {"FINISHED"}
        REPORT["texture_ms"] = (time.perf_counter() - began) * 1000
    yield from wait(lambda: live().current)
    task = live().current
    growing = addon("viewport.growing")._GROWING[0]
    yield from wait(lambda: growing.textures)
    shown = yield from until_shown("t2_growing", colourfulness, lambda it: it - before > 0.1)
    REPORT["growing_colours"], REPORT["growing_previews"] = shown - before, task.previews_seen
    yield from measure_ticks()
    assert not layers(), "nothing in the file has changed yet"
    with inside():
        bpy.ops.underpaint.cancel()
    yield from wait(lambda: task.ended)
    yield from wait(lambda: not growing.textures)
    assert not layers(), "nothing is left of it"
    assert live().error is None


def the_finished_texture_is_a_layer_shown_in_solid() -> Iterator[float]:
    bpy.context.scene.underpaint_texture.prompt = FIRST
    with inside():
        bpy.ops.ed.undo_push(message="Ready to paint")
        bpy.ops.underpaint.texture()
    yield from until_painted()
    assert viewport().spaces.active.shading.color_type == "TEXTURE"
    REPORT["painted_colours"] = yield from until_shown(
        "t3_painted", colourfulness, lambda it: it > 0.1
    )
    assert len(layers()) == 1


def it_is_one_undo_step() -> Iterator[float]:
    with inside():
        bpy.ops.ed.undo()
    yield 0.5
    material = cow().active_material
    assert material is None or not len(material.underpaint.layers), "one step back: it is gone"
    assert not [g for g in bpy.data.node_groups if g.name.startswith("Underpaint")]
    with inside():
        bpy.ops.ed.redo()
    yield 0.5
    assert len(layers()) == 1


def a_mask_is_painted_and_repainted() -> Iterator[float]:
    with inside():
        assert bpy.ops.underpaint.mask_paint() == {"FINISHED"}
    mask = cow().active_material.underpaint.edit_mask
    side = mask.size[0]
    spot = np.zeros((side, side, 4), np.float32)
    rows, columns = np.mgrid[:side, :side] / side
    spot[(rows - 0.5) ** 2 + (columns - 0.35) ** 2 < 0.03] = 1
    mask.pixels.foreach_set(spot.ravel())
    mask.update()
    yield 0.5
    screenshot("t4_mask")
    with inside():
        bpy.ops.underpaint.mask_done()
    yield from wait(lambda: not live().drawing)
    yield 0.5
    settings = bpy.context.scene.underpaint_texture
    settings.prompt, settings.seed = SECOND, 230
    screenshot("t5_marked")
    with inside():
        bpy.ops.underpaint.repaint()
    yield from until_painted()
    yield from wait(lambda: not live().drawing)
    REPORT["repainted"] = yield from until_shown("t6_layers", beside_ear, bluish)
    assert len(layers()) == 2
    assert layers()[0].mask is not None


def flattening_lets_the_window_live_and_is_one_undo_step() -> Iterator[float]:
    with inside():
        bpy.ops.ed.undo_push(message="Ready to flatten")
        assert bpy.ops.underpaint.layers_flatten() == {"FINISHED"}
    assert len(layers()) == 2, "it comes back at once"
    yield from wait(lambda: not live().drawing)
    yield 0.5
    assert len(layers()) == 1
    assert live().error is None, live().error
    with inside():
        bpy.ops.ed.undo()
    yield 0.5
    assert len(layers()) == 2, "one step back: they are there again"


def beside_ear(shown: np.ndarray) -> list[float]:
    """The mean colour of the spot that was repainted, where it is seen in the viewport."""
    area = viewport()
    x, y = area.x + int(area.width * 0.5), area.y + int(area.height * 0.7)
    return shown[y - 5 : y + 6, x - 5 : x + 6].mean((0, 1)).tolist()


def bluish(colour: list[float]) -> bool:
    return colour[2] > colour[0]


def until_painted() -> Iterator[float]:
    yield from wait(lambda: live().current)
    task = live().current
    yield from wait(lambda: task.ended and not live().finished, 900)
    assert task.error is None, task.error
    assert live().error is None, live().error


def cow():
    return next(item for item in bpy.context.scene.objects if item.type == "MESH")


def layers():
    material = cow().active_material
    return [] if material is None else list(material.underpaint.layers)


def colourfulness(shown: np.ndarray) -> float:
    """How far from grey the viewport's middle is: the mean spread of its channels, 0–1."""
    area = viewport()
    x, y = area.x + area.width // 2, area.y + area.height // 2
    reach = math.floor(min(area.width, area.height) / 8)
    part = shown[y - reach : y + reach, x - reach : x + reach]
    return float(np.ptp(part, axis=2).mean())


begin(story())
