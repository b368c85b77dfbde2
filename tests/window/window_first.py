"""Runs inside a Blender with its window: the way to the first picture, a screenshot of each step
for the documentation. `installers/panel_pictures.py` runs it, over a daemon that paints with the
starter; arguments and report as `window_tools` says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from window_tools import (
    OUT,
    REPORT,
    _keep,
    addon,
    begin,
    inside,
    install,
    live,
    screen,
    show_sidebar,
    viewport,
    wait,
    window,
)

PROMPT = "a red brick head"
# Left, bottom, right, top, as parts of the display.
PANEL, DIALOG, WINDOW = (0.62, 0.5, 0.83, 0.91), (0.2, 0.2, 0.56, 0.6), (0.0, 0.08, 0.83, 1.0)


def story() -> Iterator[float]:
    install()
    with bpy.context.temp_override(window=window()):
        scene = addon("demo_scene").open_in(bpy.context)
    viewport().spaces.active.region_3d.view_perspective = "CAMERA"
    yield from show_sidebar()
    live().installed = False  # as a user sees it whose machine has none
    yield from shown("first_install", PANEL)
    live().installed = True
    scene.underpaint.prompt = PROMPT
    bpy.ops.underpaint.start_daemon()
    yield from wait(lambda: live().session.told)
    yield from shown("first_prompt", PANEL)
    with inside():
        bpy.ops.underpaint.generate()
    yield from wait(lambda: live().current and live().current.step > 0)
    yield from shown("first_painting", PANEL, 0.2)
    yield from wait(lambda: live().last_image and not live().session.tasks)
    assert live().error is None, live().error
    with inside():
        bpy.ops.underpaint.set_background(image=live().last_image)
    yield from shown("first_painted", WINDOW)
    yield from what_install_asks()  # nothing but a click closes it


def what_install_asks() -> Iterator[float]:
    """Over the empty viewport."""
    bpy.data.batch_remove(bpy.data.objects)
    with inside():
        bpy.ops.underpaint.install("INVOKE_DEFAULT")
    yield from shown("first_question", DIALOG)


def shown(name: str, part: tuple[float, ...], seconds: float = 1.5) -> Iterator[float]:
    """Keep a part of what the display shows."""
    addon("pump").redraw()
    yield seconds
    picture = screen()
    height, width = picture.shape[:2]
    left, low, right, high = part
    rows = slice(round(low * height), round(high * height))
    _keep(picture[rows, round(left * width) : round(right * width)], name)
    REPORT.setdefault("pictures", []).append(str(OUT / f"{name}.png"))


begin(story())
