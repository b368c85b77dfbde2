"""Runs inside a Blender with its window: the whole way of an artist, with screenshots.

    blender --python window_behaviours.py -- OUT_FOLDER EXTENSION.zip

A timer drives it; `report.json` in the folder has what was measured, or the traceback.
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

_XWD_COLOUR = 12
MODULE = "bl_ext.user_default.underpaint"
OUT, EXTENSION = map(Path, sys.argv[sys.argv.index("--") + 1 :])
# Long enough that a slow machine sees them while they last.
LONG, MIDDLE, SHORT = "steps=250 seconds=0.3", "steps=40 seconds=0.4", "steps=20 seconds=0.05"
REPORT: dict[str, Any] = {}


def addon(name: str):
    return importlib.import_module(f"{MODULE}.{name}")


def live():
    return addon("runtime").live()


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
    """Keep what the display shows as a PNG."""
    shown = screen()
    height, width = shown.shape[:2]
    image = bpy.data.images.new("screen", width, height)
    rgba = np.concatenate([shown, np.ones((height, width, 1), np.float32)], axis=2)
    image.pixels.foreach_set(rgba.ravel())
    image.file_format = "PNG"
    image.save(filepath=str(OUT / f"{name}.png"))
    bpy.data.images.remove(image)
    return shown


def middle_of_viewport(shown: np.ndarray) -> list[float]:
    """The mean colour of the viewport's middle in a screenshot, 0–1."""
    area = viewport()
    x, y = area.x + area.width // 2, area.y + area.height // 2
    return shown[y - 6 : y + 7, x - 6 : x + 7].mean((0, 1)).tolist()


def wait(condition, seconds: float = 120.0) -> Iterator[float]:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain")
        yield 0.05


def story() -> Iterator[float]:
    """What the artist does, a step at a time; each `yield` lets Blender draw and tick."""
    bpy.ops.extensions.package_install_files(
        filepath=str(EXTENSION), repo="user_default", enable_on_install=True
    )
    yield from prepare()
    yield from generate_comes_back_at_once()
    yield from the_preview_lies_over_the_viewport()
    yield from cancel_ends_it_and_the_overlay()
    yield from a_finished_painting_shows_in_the_panel()
    yield from the_result_is_one_undo_step()
    yield from a_running_job_survives_another_file()
    yield from the_viewport_can_be_painted_too()
    yield from disabling_frees_the_overlay()


def prepare() -> Iterator[float]:
    with bpy.context.temp_override(window=window()):
        scene = addon("demo_scene").open_in(bpy.context)
    space = viewport().spaces.active
    space.show_region_ui = True
    space.region_3d.view_perspective = "CAMERA"
    yield 1.0
    sidebar = next(region for region in viewport().regions if region.type == "UI")
    sidebar.active_panel_category = "Underpaint"
    scene.underpaint.prompt = LONG
    yield 1.0
    screenshot("1_absent")


def generate_comes_back_at_once() -> Iterator[float]:
    with inside():
        began = time.perf_counter()
        assert bpy.ops.underpaint.generate() == {"FINISHED"}
        REPORT["generate_ms"] = (time.perf_counter() - began) * 1000
        task = live().current
    yield from wait(lambda: task.step > 0, 120)
    assert live().session.state == "busy"


def the_preview_lies_over_the_viewport() -> Iterator[float]:
    shown = addon("overlay")._SHOWN[0]
    yield from wait(lambda: shown.texture is not None)
    yield 0.3
    with inside():
        frame = addon("overlay")._frame(bpy.context, shown.camera)
    REPORT["frame"] = frame
    assert frame is not None, "the view has not moved"
    painting = screenshot("2_painting")
    REPORT["middle_painting"] = middle_of_viewport(painting)
    times: list[float] = []
    for _ in range(60):
        began = time.perf_counter()
        addon("pump").tick()
        times.append((time.perf_counter() - began) * 1000)
        yield 0.03
    REPORT["tick_median_ms"] = statistics.median(times)
    REPORT["tick_p95_ms"] = sorted(times)[int(len(times) * 0.95)]


def cancel_ends_it_and_the_overlay() -> Iterator[float]:
    task = live().current
    assert task is not None, live().error
    with inside():
        bpy.ops.underpaint.cancel()
    yield from wait(lambda: task.ended)
    yield 0.1
    assert addon("overlay")._SHOWN[0].texture is None
    assert live().error is None


def a_finished_painting_shows_in_the_panel() -> Iterator[float]:
    bpy.context.scene.underpaint.prompt = SHORT
    with inside():
        bpy.ops.ed.undo_push(message="Ready to paint")
        bpy.ops.underpaint.generate()
    task = live().current
    yield from wait(lambda: task.ended and not live().finished)
    assert task.error is None, task.error
    yield 1.5
    REPORT["middle_painted"] = middle_of_viewport(screenshot("3_painted"))


def the_result_is_one_undo_step() -> Iterator[float]:
    settings = bpy.context.scene.underpaint
    assert len(settings.results) == 1
    name = settings.results[0].image.name
    with inside():
        bpy.ops.ed.undo()
    yield 0.5
    settings = bpy.context.scene.underpaint
    assert not len(settings.results), "one step back: the result is gone"
    assert settings.prompt == SHORT, "and nothing else is"
    with inside():
        bpy.ops.ed.redo()
    yield 0.5
    assert bpy.context.scene.underpaint.results[0].image.name == name


def a_running_job_survives_another_file() -> Iterator[float]:
    bpy.context.scene.underpaint.prompt = MIDDLE
    with inside():
        began = time.perf_counter()
        bpy.ops.underpaint.generate()
        REPORT["generate_again_ms"] = (time.perf_counter() - began) * 1000
    task = live().current
    yield from wait(lambda: task.step > 0)
    assert not task.ended
    with bpy.context.temp_override(window=window()):
        bpy.ops.wm.read_homefile(use_factory_startup=False)
    yield from wait(lambda: task.ended and not live().finished)
    yield 0.5
    assert len(bpy.context.scene.underpaint.results) == 1


def the_viewport_can_be_painted_too() -> Iterator[float]:
    settings = bpy.context.scene.underpaint
    settings.source, settings.prompt = "VIEWPORT", MIDDLE
    settings.width, settings.height = 384, 256
    viewport().spaces.active.show_region_ui = True
    yield 0.5
    sidebar = next(region for region in viewport().regions if region.type == "UI")
    sidebar.active_panel_category = "Underpaint"
    with inside():
        bpy.ops.underpaint.generate()
    task = live().current
    shown = addon("overlay")._SHOWN[0]
    yield from wait(lambda: shown.texture is not None)
    yield 0.3
    screenshot("4_viewport")
    yield from wait(lambda: task.ended and not live().finished)
    assert task.error is None, task.error
    yield 0.5


def disabling_frees_the_overlay() -> Iterator[float]:
    import addon_utils

    overlay = addon("overlay")
    addon_utils.disable(MODULE)
    yield 0.5
    assert not overlay._SHOWN
    assert not hasattr(bpy.types.Scene, "underpaint")


def drive(steps: Iterator[float]):
    def step() -> float:
        try:
            return next(steps)
        except StopIteration:
            finish("")
        except Exception:
            finish(traceback.format_exc())
        return 1.0

    return step


def finish(failure: str) -> None:
    REPORT["failure"] = failure
    (OUT / "report.json").write_text(json.dumps(REPORT))
    sys.stdout.flush()
    os._exit(0)


bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(drive(story()), first_interval=1.0, persistent=True)
