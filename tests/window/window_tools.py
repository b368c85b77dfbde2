"""For scripts inside a Blender with its window: the add-on, the display, waiting, reporting.

The scripts' arguments: OUT_FOLDER EXTENSION.zip. A timer drives their story; `report.json` in the
folder has what was measured, or the traceback.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import struct
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

_XWD_COLOUR, _SCROLLS = 12, 30
MODULE = "bl_ext.user_default.underpaint"
OUT, EXTENSION = map(Path, sys.argv[sys.argv.index("--") + 1 :])
REPORT: dict[str, Any] = {}


def addon(name: str):
    return importlib.import_module(f"{MODULE}.{name}")


def live():
    return addon("link.runtime").live()


def window():
    return bpy.context.window_manager.windows[0]


def viewport():
    return next(area for area in window().screen.areas if area.type == "VIEW_3D")


def inside():
    """The context of an artist whose pointer is in the viewport."""
    area = viewport()
    region = next(r for r in area.regions if r.type == "WINDOW")
    return bpy.context.temp_override(window=window(), area=area, region=region)


def screen() -> np.ndarray:
    """What the display shows: (h, w, 3) float, row 0 at the bottom; read from its memory (XWD)."""
    data = Path(os.environ["UNDERPAINT_SCREEN"]).read_bytes()
    header = struct.unpack(">25I", data[:100])
    start, width, height, row, colours = header[0], header[4], header[5], header[12], header[19]
    pixels = np.frombuffer(data, np.uint8, row * height, start + colours * _XWD_COLOUR)
    picture = pixels.reshape(height, row)[:, : width * 4].reshape(height, width, 4)
    return picture[::-1, :, 2::-1].astype(np.float32) / 255


def screenshot(name: str) -> np.ndarray:
    """What the display shows; kept as a PNG where the test is told to keep pictures."""
    shown = screen()
    if "UNDERPAINT_PICTURES" in os.environ:
        _keep(shown, name)
    return shown


def _keep(shown: np.ndarray, name: str) -> None:
    height, width = shown.shape[:2]
    image = bpy.data.images.new("screen", width, height)
    rgba = np.concatenate([shown, np.ones((height, width, 1), np.float32)], axis=2)
    image.pixels.foreach_set(rgba.ravel())
    image.file_format = "PNG"
    image.save(filepath=str(OUT / f"{name}.png"))
    bpy.data.images.remove(image)


def middle_of_viewport(shown: np.ndarray) -> list[float]:
    """The mean colour of the viewport's middle in a screenshot, 0–1."""
    area = viewport()
    x, y = area.x + area.width // 2, area.y + area.height // 2
    return shown[y - 6 : y + 7, x - 6 : x + 7].mean((0, 1)).tolist()


def wait(condition, seconds: float = 300.0) -> Iterator[float]:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain")
        yield 0.05


def until_shown(name: str, measure, wanted, seconds: float = 300.0):
    """Wait until the display shows what is wanted, and keep a screenshot; gives its measure.

    A slow machine draws late: what is asked is that it is drawn, with nobody touching anything.
    """
    deadline = time.monotonic() + seconds
    while not wanted(measure(screen())) and time.monotonic() < deadline:
        yield 0.1
    return measure(screenshot(name))


def until_settled(name: str, seconds: float = 300.0) -> Iterator[float]:
    """Wait until the display stays as it is, panels slide into their places, and keep a
    screenshot."""
    deadline, before = time.monotonic() + seconds, screen()
    yield 0.5
    while not np.array_equal(before, now := screen()) and time.monotonic() < deadline:
        before = now
        yield 0.5
    screenshot(name)


def only_one_window() -> Iterator[float]:
    """Close the others, which lie over what is to be seen."""
    while len(bpy.context.window_manager.windows) > 1:
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
            bpy.ops.wm.window_close()
        yield 0.5


def what_lies_below(name: str) -> Iterator[float]:
    """The sidebar scrolled to its end, and back."""
    area = viewport()
    sidebar = next(region for region in area.regions if region.type == "UI")
    with bpy.context.temp_override(window=window(), area=area, region=sidebar):
        for _ in range(_SCROLLS):
            bpy.ops.view2d.scroll_down()
    yield from until_settled(name)
    with bpy.context.temp_override(window=window(), area=area, region=sidebar):
        for _ in range(_SCROLLS):
            bpy.ops.view2d.scroll_up()


def measure_ticks(count: int = 60) -> Iterator[float]:
    """Report how long the pump's ticks take."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        addon("pump").tick()
        times.append((time.perf_counter() - began) * 1000)
        yield 0.03
    REPORT["tick_median_ms"] = statistics.median(times)
    REPORT["tick_p95_ms"] = sorted(times)[int(count * 0.95)]


def time_captures() -> list[float]:
    """Seconds of each capture from now on: the one thing of ours that may take long. Of this
    thread: what else the machine does is not counted."""
    module, seconds = addon("following.taking"), list[float]()
    capture = module.capture_view

    def timed(*args, **named):
        began = time.thread_time()
        try:
            return capture(*args, **named)
        finally:
            seconds.append(time.thread_time() - began)

    module.capture_view = timed
    return seconds


def install() -> None:
    bpy.ops.extensions.package_install_files(
        filepath=str(EXTENSION), repo="user_default", enable_on_install=True
    )


def show_sidebar() -> Iterator[float]:
    """Our tab in the viewport's sidebar."""
    viewport().spaces.active.show_region_ui = True
    yield from wait(_our_tab_is_open)
    yield 0.5


def _our_tab_is_open() -> bool:
    """Open our tab; it can be opened once the sidebar has been drawn."""
    sidebar = next(region for region in viewport().regions if region.type == "UI")
    if sidebar.active_panel_category == "UNSUPPORTED":
        return False
    sidebar.active_panel_category = "Underpaint"
    return True


def drive(steps: Iterator[float]):
    def step() -> float:
        try:
            return next(steps)
        except StopIteration:
            finish("")
        finally:
            # Blender drops a timer that raises, without a word.
            if sys.exc_info()[0] is not None:
                finish(traceback.format_exc())

    return step


def finish(failure: str) -> None:
    REPORT["failure"] = failure
    (OUT / "report.json").write_text(json.dumps(REPORT))
    sys.stdout.flush()
    os._exit(0)


def begin(story: Iterator[float]) -> None:
    """Run a story once Blender is up."""
    bpy.context.preferences.view.show_splash = False
    # Else each change is drawn eight times over: most of what a window costs without a GPU.
    bpy.context.preferences.system.viewport_aa = "OFF"
    bpy.app.timers.register(drive(story), first_interval=1.0, persistent=True)
