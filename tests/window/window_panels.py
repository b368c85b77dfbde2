"""Runs inside a Blender with its window: every panel and state, at two scales, with a screenshot
of each; live painting, and what it costs the window.

    blender --python window_panels.py -- OUT_FOLDER EXTENSION.zip

See `window_tools`.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from window_tools import (
    REPORT,
    addon,
    begin,
    inside,
    install,
    live,
    screenshot,
    show_sidebar,
    viewport,
    wait,
    window,
)

SHORT, LONG = "steps=4 seconds=0.02", "steps=300 seconds=0.1"
LIVE_S = 20.0


def story() -> Iterator[float]:
    """Each `yield` lets Blender draw and tick."""
    install()
    yield from prepare()
    yield from there_is_no_daemon_yet()
    yield from the_image_tab_with_everything_unfolded()
    yield from several_paintings_wait()
    yield from live_painting_follows_the_view()
    yield from the_texture_tab()
    yield from at_twice_the_scale()


def prepare() -> Iterator[float]:
    with bpy.context.temp_override(window=window()):
        scene = addon("demo_scene").open_in(bpy.context)
    viewport().spaces.active.region_3d.view_perspective = "CAMERA"
    yield from show_sidebar()
    scene.underpaint.prompt = SHORT
    yield 1.0


def there_is_no_daemon_yet() -> Iterator[float]:
    """As a user sees it whose machine has none."""
    live().installed = False
    addon("pump").redraw()
    yield 1.0
    screenshot("p1_install")
    live().installed = True
    addon("pump").redraw()
    yield 0.5


def the_image_tab_with_everything_unfolded() -> Iterator[float]:
    with inside():
        bpy.ops.underpaint.generate()
    task = live().current
    yield from wait(lambda: task.ended and not live().finished)
    assert task.error is None, task.error
    settings = bpy.context.scene.underpaint
    settings.depth_open = settings.normal_open = True
    with inside():
        bpy.ops.underpaint.lora_add(name="ink")
        bpy.ops.underpaint.style(name="Watercolour")
    yield 1.0
    screenshot("p2_image")
    settings.prompt, settings.depth_open, settings.normal_open = SHORT, False, False


def several_paintings_wait() -> Iterator[float]:
    settings = bpy.context.scene.underpaint
    settings.prompt = LONG
    with inside():
        for _ in range(3):
            bpy.ops.underpaint.generate()
    tasks = list(live().session.tasks.values())
    assert len(tasks) == 3
    yield from wait(lambda: tasks[0].step > 0)
    yield 1.0
    screenshot("p3_queue")
    with inside():
        bpy.ops.underpaint.cancel()
    yield from wait(lambda: not live().session.tasks)
    settings.prompt = SHORT


def live_painting_follows_the_view() -> Iterator[float]:
    """For some seconds, while the view turns; the pump's ticks are timed."""
    settings, view = bpy.context.scene.underpaint, viewport().spaces.active.region_3d
    view.view_perspective = "PERSP"
    settings.loras.clear()
    settings.source = "VIEWPORT"
    with inside():
        assert bpy.ops.underpaint.live() == {"FINISHED"}
    state = addon("viewport.live_view").now()
    yield from wait(lambda: state.pictures > 2)
    until, times = time.monotonic() + LIVE_S, []
    while time.monotonic() < until:
        view.view_distance *= 1.001
        began = time.perf_counter()
        addon("pump").tick()
        times.append((time.perf_counter() - began) * 1000)
        yield 0.02
    REPORT["live_pictures"], REPORT["live_per_second"] = state.pictures, state.per_second
    REPORT["live_tick_median_ms"] = statistics.median(times)
    REPORT["live_tick_p99_ms"] = sorted(times)[int(len(times) * 0.99)]
    yield from wait(lambda: not state.plan.wants and state.task is None)
    settings.live_wipe, settings.live_opacity = 0.6, 0.9
    yield 1.0
    with inside():
        frame = addon("viewport.overlay")._frame(bpy.context, state.camera)
    assert frame is not None, "the picture lies where it was seen"
    screenshot("p4_live")
    images = len(bpy.data.images)
    with inside():
        bpy.ops.underpaint.live()
    yield 0.5
    assert addon("viewport.live_view").now() is None
    assert addon("viewport.overlay")._SHOWN[0].texture is None
    assert len(bpy.data.images) == images, "nothing of it is left in the file"
    assert live().error is None, live().error


def the_texture_tab() -> Iterator[float]:
    bpy.context.scene.underpaint.mode = "TEXTURE"
    head = bpy.data.objects["Head"]
    bpy.context.view_layer.objects.active = head
    head.select_set(True)
    yield 1.0
    screenshot("p5_texture")
    bpy.context.scene.underpaint.mode = "IMAGE"


def at_twice_the_scale() -> Iterator[float]:
    for mode, name in (("IMAGE", "p6_image_2x"), ("TEXTURE", "p7_texture_2x")):
        bpy.context.preferences.view.ui_scale = 2.0
        bpy.context.scene.underpaint.mode = mode
        yield 1.0
        screenshot(name)
    bpy.context.preferences.view.ui_scale = 1.0


begin(story())
