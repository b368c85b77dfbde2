"""Live painting in a window, and what it costs the window. Part of the story of `window_panels`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import bpy
from window_tools import REPORT, addon, inside, live, screenshot, time_captures, viewport, wait

LIVE_S, LIVE_PICTURES = 6.0, 4


def live_painting_follows_the_view() -> Iterator[float]:
    """For some seconds and pictures, while the view turns; the pump's ticks are timed."""
    settings, view = bpy.context.scene.underpaint, viewport().spaces.active.region_3d
    view.view_perspective = "PERSP"
    settings.loras.clear()
    settings.source = "VIEWPORT"
    with inside():
        assert bpy.ops.underpaint.live() == {"FINISHED"}
    state = addon("viewport.live_view").now()
    yield from wait(lambda: state.rests)
    captures = time_captures()
    until, times = time.monotonic() + LIVE_S, []
    while time.monotonic() < until or state.pictures < LIVE_PICTURES:
        view.view_distance *= 1.001
        captures.clear()
        began = time.thread_time()
        addon("pump").tick()
        times.append((time.thread_time() - began - sum(captures)) * 1000)
        yield 0.02
    REPORT["live_pictures"], REPORT["live_per_second"] = state.pictures, state.per_second
    REPORT["live_tick_median_ms"] = statistics.median(times)
    REPORT["live_tick_p99_ms"] = sorted(times)[int(len(times) * 0.99)]
    yield from wait(lambda: state.rests)
    painted = state.pictures
    yield 2.0
    assert state.pictures == painted, "while nothing changes nothing is painted"
    settings.live_wipe, settings.live_opacity = 0.6, 0.9
    yield 1.0
    with inside():
        frame = addon("viewport.overlay")._frame(bpy.context, state.camera)
    assert frame is not None, "the picture lies where it was seen"
    screenshot("p04_live")
    images = len(bpy.data.images)
    with inside():
        bpy.ops.underpaint.live()
    yield from wait(lambda: addon("viewport.live_view").now() is None)
    yield from wait(lambda: addon("viewport.overlay")._SHOWN[0].texture is None)
    assert len(bpy.data.images) == images, "nothing of it is left in the file"
    assert live().error is None, live().error
