"""Runs in a Blender with its window: every panel in a sidebar of 250 pixels. See its pictures.

Arguments and report as `window_tools` says. `test_window.py` starts it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import bpy
from window_sub_panels import only, unfold_all
from window_tools import (
    REPORT,
    addon,
    begin,
    inside,
    install,
    live,
    show_sidebar,
    until_settled,
    viewport,
    wait,
    window,
)

WIDTH = 250
WHOLE, IN_PART = ("en_US", "de_DE"), ("fr_FR", "es", "ja_JP", "zh_HANS")
"""Languages that every piece is shown in, and those where the fullest are."""
_SEARCHED, _TO_WIDTH = 130, 10
PIECES = (
    ("IMAGE", ("image",)),
    ("IMAGE", ("controls",)),
    ("IMAGE", ("objects",)),
    ("IMAGE", ("sampling", "reference")),
    ("IMAGE", ("parts", "refiner")),
    ("IMAGE", ("loras",)),
    ("IMAGE", ("animation",)),
    ("IMAGE", ("everything",)),
    ("TEXTURE", ("texture",)),
    ("TEXTURE", ("layers", "edit")),
)
FULLEST = tuple(
    piece for piece in PIECES if piece[1][0] in ("controls", "parts", "everything", "texture")
)
PROMPT = "steps=4 seconds=0.01 an old fishing harbour at dawn, wet cobbles, nets, gulls"


def story() -> Iterator[float]:
    install()
    unfold_all()
    yield from a_painting_is_there()
    live().installed = True
    yield from the_sidebar_is_narrow()
    for language in (*WHOLE, *IN_PART):
        view = bpy.context.preferences.view
        view.language, view.use_translate_interface = language, True
        yield from every_piece(language, PIECES if language in WHOLE else FULLEST)
    yield from one_of_the_pictures_large()


def a_painting_is_there() -> Iterator[float]:
    with bpy.context.temp_override(window=window()):
        scene = addon("demo_scene").open_in(bpy.context)
    settings = scene.underpaint
    settings.prompt = PROMPT
    with inside():
        bpy.ops.underpaint.generate()
    yield from wait(lambda: live().current)
    task = live().current
    yield from wait(lambda: task.ended and not live().finished)
    assert task.error is None, task.error
    with inside():
        bpy.ops.underpaint.controls_by_hand()
        bpy.ops.underpaint.lora_add(name="a-rather-long-name-of-a-lora-v2.safetensors")
        bpy.ops.underpaint.animate_value(name="seed")
        bpy.ops.underpaint.region_add()
        bpy.ops.underpaint.part_lora_add(name="delft-china")
        ball = bpy.data.objects["Ball"]
        ball.underpaint_prompt = "blue china"
        bpy.ops.underpaint.part_lora_add(owner=ball.name_full, name="a-rather-long-name-of-a-lora")
    yield from what_the_model_sees()
    settings.depth_open = settings.scribble_open = settings.scribble_enabled = True
    settings.scribble_source, settings.scribble_object = "OBJECTS", bpy.data.objects["Head"]
    settings.openpose_open = settings.openpose_enabled = settings.more_controls = True
    bpy.data.objects["Ball"].underpaint_leave = settings.object_prompts = True


def what_the_model_sees() -> Iterator[float]:
    """Small, in the list."""
    with inside():
        bpy.ops.underpaint.show_controls()
    shown = live().shown
    yield from wait(lambda: not shown.asking)
    assert shown.error is None, shown.error
    assert set(shown.files) == {"depth", "guide"}, shown.files


def one_of_the_pictures_large() -> Iterator[float]:
    """The last of all: only a click closes it."""
    with inside():
        bpy.ops.wm.call_panel(name="UNDERPAINT_PT_seen_guide", keep_open=True)
    yield from until_settled("n_seen_guide")


def the_sidebar_is_narrow() -> Iterator[float]:
    """A script cannot drag its edge: the width is set where Blender keeps it."""
    yield from show_sidebar()
    sidebar = next(region for region in viewport().regions if region.type == "UI")
    wanted = wanted_width(sidebar)
    wanted.value = wanted.value * WIDTH // sidebar.width
    for shown in (False, True):
        viewport().spaces.active.show_region_ui = shown
        yield 1.0
    yield from show_sidebar()
    REPORT["sidebar_px"] = sidebar.width


def wanted_width(region) -> ctypes.c_short:
    """`ARegion.sizex`, which lies behind the size that the region has now."""
    shorts = (ctypes.c_short * _SEARCHED).from_address(region.as_pointer())
    size = [region.width, region.height]
    place = max(i for i in range(_SEARCHED) if list(shorts[i : i + 2]) == size)
    return ctypes.c_short.from_address(region.as_pointer() + 2 * (place + _TO_WIDTH))


def every_piece(language: str, pieces) -> Iterator[float]:
    settings = bpy.context.scene.underpaint
    for mode, names in pieces:
        settings.mode = mode
        only(*(f"UNDERPAINT_PT_{name}" for name in names))
        yield from until_settled(f"n_{language[:2]}_{mode.lower()}_{names[0]}")


begin(story())
