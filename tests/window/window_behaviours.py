"""Runs inside a Blender with its window: the whole way of an artist, with screenshots.

    blender --python window_behaviours.py -- OUT_FOLDER EXTENSION.zip

See `window_tools`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from window_tools import (
    MODULE,
    REPORT,
    addon,
    begin,
    inside,
    install,
    live,
    measure_ticks,
    middle_of_viewport,
    screenshot,
    show_sidebar,
    until_shown,
    viewport,
    wait,
    window,
)

# Long enough that a slow machine sees them while they last.
LONG, SHORT = "steps=9000 seconds=0.3", "steps=20 seconds=0.05"


def story() -> Iterator[float]:
    """What the artist does, a step at a time; each `yield` lets Blender draw and tick."""
    install()
    yield from prepare()
    yield from generate_comes_back_at_once()
    yield from the_preview_lies_over_the_viewport()
    yield from cancel_ends_it_and_the_overlay()
    yield from a_finished_painting_shows_in_the_panel()
    yield from the_result_is_one_undo_step()
    yield from what_was_made_of_a_picture_can_be_undone_without_losing_sight_of_it()
    yield from a_running_job_survives_another_file()
    yield from the_viewport_can_be_painted_too()
    yield from local_view_is_captured_as_it_is_seen()
    yield from of_quad_view_the_one_that_turns_is_captured()
    yield from disabling_frees_the_overlay()


def prepare() -> Iterator[float]:
    with bpy.context.temp_override(window=window()):
        scene = addon("demo_scene").open_in(bpy.context)
    viewport().spaces.active.region_3d.view_perspective = "CAMERA"
    yield from show_sidebar()
    scene.underpaint.prompt = LONG
    yield 1.0
    screenshot("1_absent")


def generate_comes_back_at_once() -> Iterator[float]:
    with inside():
        began = time.perf_counter()
        assert bpy.ops.underpaint.generate() == {"FINISHED"}
        REPORT["generate_ms"] = (time.perf_counter() - began) * 1000
    yield from wait(lambda: live().current)
    task = live().current
    side = live().session.sizes["starter"]  # the first picture has the model's own size, too
    assert (task.request.view.camera.width, task.request.view.camera.height) == (side, side)
    yield from wait(lambda: task.step > 0)
    assert live().session.state == "busy"


def the_preview_lies_over_the_viewport() -> Iterator[float]:
    shown = addon("viewport.overlay")._SHOWN[0]
    yield from wait(lambda: shown.texture is not None)
    with inside():
        frame = addon("viewport.overlay")._frame(bpy.context, shown.camera)
    REPORT["frame"] = frame
    assert frame is not None, "the view has not moved"
    REPORT["middle_painting"] = yield from until_shown("2_painting", middle_of_viewport, golden)
    yield from measure_ticks()


def golden(colour: list[float]) -> bool:
    """Whether the runner's gold is seen, more than any grey or green of the scene."""
    red, _green, blue = colour
    return red > 2 * blue


def cancel_ends_it_and_the_overlay() -> Iterator[float]:
    task = live().current
    assert task is not None, live().error
    with inside():
        bpy.ops.underpaint.cancel()
    yield from wait(lambda: task.ended)
    yield from wait(lambda: addon("viewport.overlay")._SHOWN[0].texture is None)
    assert live().error is None


def a_finished_painting_shows_in_the_panel() -> Iterator[float]:
    bpy.context.scene.underpaint.prompt = SHORT
    with inside():
        bpy.ops.ed.undo_push(message="Ready to paint")
        bpy.ops.underpaint.generate()
    task = live().current
    yield from wait(lambda: task.ended and not live().finished)
    assert task.error is None, task.error
    REPORT["middle_painted"] = yield from until_shown(
        "3_painted", middle_of_viewport, lambda colour: not golden(colour)
    )


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


def what_was_made_of_a_picture_can_be_undone_without_losing_sight_of_it() -> Iterator[float]:
    """The Image Editor shows the picture again, and what was painted beyond it after redo."""
    first = bpy.context.scene.underpaint.results[0].image.name
    area = next(a for a in window().screen.areas if a.type not in ("VIEW_3D", "PROPERTIES"))
    kind, area.type = area.type, "IMAGE_EDITOR"
    area.spaces.active.image = bpy.data.images[first]
    with inside():
        bpy.ops.ed.undo_push(message="Ready to outpaint")
        assert bpy.ops.underpaint.outpaint(image=first, side="LEFT") == {"FINISHED"}
    yield from wait(lambda: live().current or live().works)
    yield from wait(lambda: area.spaces.active.image.name != first)
    wide = area.spaces.active.image.name
    for step, shown in (("undo", first), ("redo", wide), ("undo", first), ("redo", wide)):
        with inside():
            getattr(bpy.ops.ed, step)()
        yield 0.5
        image = area.spaces.active.image
        assert image is not None, step
        assert image.name == shown, step
    area.spaces.active.image = bpy.data.images[first]
    with inside():
        bpy.ops.ed.undo_push(message="Looking at the one before")
        bpy.ops.object.select_all(action="SELECT")
        bpy.ops.ed.undo_push(message="Something else")
        bpy.ops.ed.undo()
    yield 0.5
    assert area.spaces.active.image.name == first, "what the artist looks at stays"
    area.type = kind


def a_running_job_survives_another_file() -> Iterator[float]:
    bpy.context.scene.underpaint.prompt = LONG
    with inside():
        began = time.perf_counter()
        bpy.ops.underpaint.generate()
        REPORT["generate_again_ms"] = (time.perf_counter() - began) * 1000
    task = live().current
    yield from wait(lambda: task.step > 0)
    assert not task.ended
    with bpy.context.temp_override(window=window()):
        bpy.ops.wm.read_homefile(use_factory_startup=False)
    task.job.enough()
    yield from wait(lambda: task.ended and not live().finished)
    yield 0.5
    assert len(bpy.context.scene.underpaint.results) == 1


def the_viewport_can_be_painted_too() -> Iterator[float]:
    settings = bpy.context.scene.underpaint
    settings.source, settings.prompt = "VIEWPORT", LONG
    settings.width, settings.height = 384, 256
    yield from show_sidebar()
    with inside():
        bpy.ops.underpaint.generate()
    task = live().current
    shown = addon("viewport.overlay")._SHOWN[0]
    yield from wait(lambda: shown.texture is not None)
    yield 0.3
    screenshot("4_viewport")
    task.job.enough()
    yield from wait(lambda: task.ended and not live().finished)
    assert task.error is None, task.error
    yield 0.5


def local_view_is_captured_as_it_is_seen() -> Iterator[float]:
    beside = bpy.data.objects.new("Beside", bpy.data.objects["Cube"].data)
    beside.location.y = 2.5
    bpy.context.scene.collection.objects.link(beside)
    for item in bpy.context.view_layer.objects:
        item.select_set(item.name == "Cube")
    with inside():
        bpy.ops.view3d.localview(frame_selected=False)
    yield 0.5
    capture = addon("capture")
    with inside():
        where = capture.Viewport.of_area(viewport())
        view, buffers = capture.capture_view(bpy.context, where, 64, 64)
        bpy.ops.view3d.localview(frame_selected=False)
    ids = capture.object_ids(bpy.context.evaluated_depsgraph_get())
    seen = set(np.unique(buffers[view.object_id.sha256]).tolist())
    assert seen == {0, ids["Cube"]}, (seen, ids)


def of_quad_view_the_one_that_turns_is_captured() -> Iterator[float]:
    with inside():
        bpy.ops.screen.region_quadview()
    yield 0.5
    area, capture = viewport(), addon("capture")
    region = capture.main_region(area)
    with bpy.context.temp_override(window=window(), area=area, region=region):
        assert bpy.context.region_data == area.spaces.active.region_3d
        assert capture.Viewport.of_area(area).region == region
        bpy.ops.screen.region_quadview()
    yield 0.5


def disabling_frees_the_overlay() -> Iterator[float]:
    import addon_utils

    overlay = addon("viewport.overlay")
    addon_utils.disable(MODULE)
    yield 0.5
    assert not overlay._SHOWN
    assert not hasattr(bpy.types.Scene, "underpaint")


begin(story())
