"""Runs in a Blender with its window: a picture's frame is dragged, and painted beyond; words are
weighed by keys. See its pictures.

Arguments and report as `window_tools` says. `test_window.py` starts it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import bpy
import numpy as np
from window_tools import REPORT, addon, begin, install, live, screenshot, viewport, wait, window
from window_words import press, words_are_weighed_by_keys

SIDE, PULLED = 256, 64


def story() -> Iterator[float]:
    install()
    bpy.context.scene.underpaint.prompt = "steps=4 seconds=0.02"
    image = sketch()
    area = viewport()
    area.ui_type = "IMAGE_EDITOR"
    yield 1.0
    area.spaces.active.image = image
    area.spaces.active.show_region_ui = True
    yield from wait(lambda: our_tab_is_open(area))
    with editor(area):
        bpy.ops.image.view_zoom_ratio(ratio=1.0)
    yield 1.0
    yield from escape_leaves_it(area)
    yield from enter_paints(area, image)
    area.ui_type = "VIEW_3D"
    yield 1.0
    yield from words_are_weighed_by_keys()


def sketch():
    image = bpy.data.images.new("sketch", SIDE, SIDE)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    pixels = np.stack([x, y, 0.5 + 0 * x, 1 + 0 * x], -1).astype(np.float32)
    image.pixels.foreach_set(pixels.ravel())
    return image


def our_tab_is_open(area) -> bool:
    sidebar = next(region for region in area.regions if region.type == "UI")
    if sidebar.active_panel_category == "UNSUPPORTED":
        return False
    sidebar.active_panel_category = "Underpaint"
    return True


def editor(area):
    return bpy.context.temp_override(window=window(), area=area, region=main_region(area))


def main_region(area):
    return next(region for region in area.regions if region.type == "WINDOW")


def escape_leaves_it(area) -> Iterator[float]:
    yield from pull(area, (1.0, 0.5), (1 + PULLED / SIDE, 0.5))
    press("ESC")
    yield 0.5
    assert not addon("editing.framing")._DRAWN, "nothing is drawn any more"
    assert not live().session.tasks


def enter_paints(area, image) -> Iterator[float]:
    yield from pull(area, (1.0, 1.0), (1 + PULLED / SIDE, 1 + PULLED / SIDE))
    screenshot("f01_frame")
    press("RET")
    yield from wait(lambda: live().session.tasks)
    (task,) = live().session.tasks.values()
    yield from wait(lambda: task.ended and not live().finished)
    assert task.error is None, task.error
    made = bpy.data.images[live().last_image]
    REPORT["size"] = list(made.size)
    flat = np.empty(made.size[0] * made.size[1] * 4, np.float32)
    made.pixels.foreach_get(flat)
    kept = flat.reshape(made.size[1], made.size[0], 4)[:SIDE, :SIDE, :3]
    before = np.empty(SIDE * SIDE * 4, np.float32)
    image.pixels.foreach_get(before)
    difference = np.abs(kept - before.reshape(SIDE, SIDE, 4)[..., :3]).max()
    REPORT["kept_difference"] = float(difference)
    yield 1.0
    screenshot("f02_beyond")


def pull(area, start, end) -> Iterator[float]:
    """Begin, and drag from one place of the picture to another, as parts of its sides."""
    with editor(area):
        assert bpy.ops.underpaint.outpaint_frame("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    yield 0.5
    for place, value in ((start, ""), (start, "PRESS"), (end, ""), (end, "RELEASE")):
        x, y = on_screen(area, place)
        kind = "LEFTMOUSE" if value else "MOUSEMOVE"
        window().event_simulate(type=kind, value=value or "NOTHING", x=x, y=y)
        yield 0.4


def on_screen(area, place) -> tuple[int, int]:
    region = main_region(area)
    x, y = region.view2d.view_to_region(*place, clip=False)
    return region.x + x, region.y + y


begin(story())
