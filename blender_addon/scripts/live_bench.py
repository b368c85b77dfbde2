"""What the add-on costs a Blender with its window: live painting, the operators, a texture's start.

    blender --python live_bench.py -- OUT.json SECONDS [EXTENSION.zip]

Runs in a Blender that has the extension, or installs the given one; with the model that the panel
names. Writes OUT.json, {"measures": {name: number}, "failure": text}, and ends Blender. Times
`_own_` are this thread's: what else the machine does is not in them. Used by
`underpaint-dev bench addon`.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parent))

from live_times import (
    Times,
    Watch,
    addon,
    inside,
    runtime,
    summed,
    viewport,
    window,
)

PROMPT = "a red clay head on sand, soft light"
TURN_A_TICK = 0.02
TICK_S = 1 / 30
PATIENCE_S = 180.0
SEGMENTS, RINGS = 187, 94
"""A sphere of 34 782 triangles."""


def ticking(watch: Watch, until: Callable[[], object]) -> Iterator[float]:
    """Tick until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S:.0f} s in vain: {runtime().error}")
        watch.tick()
        yield TICK_S


def story(seconds: float, measures: dict[str, float]) -> Iterator[float]:
    """Each `yield` lets Blender draw; the pump's own timer rests meanwhile."""
    with bpy.context.temp_override(window=window()):
        addon("demo_scene").open_in(bpy.context)
    bpy.context.scene.underpaint.prompt = PROMPT
    yield 1.0
    watch = Watch()
    runtime().session.start()
    yield from ticking(watch, lambda: runtime().session.models)
    listen(watch)
    addon("pump").stop()
    yield from live_painting(watch, seconds, measures)
    yield from buttons(watch)
    yield from a_texture_begins(watch, measures)
    told = {name: round(own, 1) for name, (own, _wall) in watch.operators.items()}
    measures["operator_slowest_own_ms"] = max(own for own, _ in watch.operators.values())
    measures["operator_slowest_wall_ms"] = max(wall for _, wall in watch.operators.values())
    measures.update({f"operator_{name}_own_ms": own for name, own in told.items()})
    measures.update(summed("apply_result", watch.applied))


def listen(watch: Watch) -> None:
    """Time captures and results for themselves."""
    module = addon("following.taking")
    module.capture_view = watch.around(module.capture_view, watch.captures)
    module = addon("viewport.live_view")
    module._ask, module._show = timed_pictures(watch, module._ask, module._show)
    pump = addon("pump")
    pump._as_one_step = watch.around(pump._as_one_step, watch.applied)


def timed_pictures(watch: Watch, ask: Any, show: Any) -> tuple[Any, Any]:
    """Both, with the time from one to the other."""
    asked_at: dict[int, float] = {}

    def asks(live: Any, state: Any, *rest: Any) -> None:
        began = time.perf_counter()
        ask(live, state, *rest)
        if state.under_way:
            asked_at[id(state.under_way[-1])] = began

    def shows(state: Any, asked: Any) -> None:
        show(state, asked)
        watch.late.wall.append((time.perf_counter() - asked_at.pop(id(asked))) * 1e3)

    return asks, shows


def live_painting(watch: Watch, seconds: float, measures: dict[str, float]) -> Iterator[float]:
    """The view turns for two thirds of the time, in three stretches; then it rests."""
    view = viewport().spaces.active.region_3d
    view.view_perspective = "PERSP"
    bpy.context.scene.underpaint.source = "VIEWPORT"
    watch.operator("live")
    state = addon("viewport.live_view").now()
    yield from ticking(watch, lambda: state.pictures > 1)
    for times in (watch.ticks, watch.between, watch.captures, watch.late):
        times.forget()
    began, first, moving, seen = time.monotonic(), state.pictures, 0.0, 0
    while (spent := time.monotonic() - began) < seconds:
        turns, before, at = spent % (seconds / 3) < seconds * 2 / 9, state.pictures, spent
        if turns:
            view.view_rotation.rotate(turned(TURN_A_TICK))
        watch.tick()
        yield TICK_S
        if turns:
            moving += time.monotonic() - began - at
            seen += state.pictures - before
    assert runtime().error is None, runtime().error
    measures["live_seconds"] = seconds
    measures["live_pictures"] = float(state.pictures - first)
    measures["live_moving_pictures_per_second"] = seen / moving
    measures["live_side_px"] = math.sqrt(state.picture.shape[0] * state.picture.shape[1])
    measures.update(summed("tick", watch.ticks))
    measures.update(summed("capture", watch.captures))
    measures.update(summed("live_picture", watch.late))
    measures.update(summed("redraw", watch.between))
    watch.operator("live")
    yield from ticking(watch, lambda: not runtime().session.tasks)


def turned(angle: float) -> Any:
    from mathutils import Quaternion

    return Quaternion((0.0, 0.0, 1.0), angle)


def buttons(watch: Watch) -> Iterator[float]:
    """What an artist presses, each once; a painting to its end."""
    scene = bpy.context.scene
    scene.underpaint.source = "CAMERA"
    watch.operator("controls_by_hand")
    watch.operator("controls_by_model")
    watch.operator("by_hand", name="steps")
    watch.operator("own_value", name="steps")
    watch.operator("style", name="Watercolour")
    watch.operator("choose_model", name="starter")
    watch.operator("lora_add", name="ink")
    watch.operator("lora_remove")
    watch.operator("generate")
    watch.operator("cancel")
    yield from ticking(watch, lambda: not runtime().session.tasks)
    watch.operator("generate")
    yield from ticking(watch, lambda: not runtime().session.tasks and not runtime().finished)
    assert runtime().error is None, runtime().error
    name = runtime().last_image
    watch.operator("use_settings", image=name)
    watch.operator("set_background", image=name)
    watch.operator("marks_box", image=name, box=(0.2, 0.2, 0.6, 0.6))
    watch.operator("send", image=name, to="PLANE")


def a_texture_begins(watch: Watch, measures: dict[str, float]) -> Iterator[float]:
    """From the button to the first preview on the surface, and its end."""
    with inside():
        bpy.ops.mesh.primitive_uv_sphere_add(segments=SEGMENTS, ring_count=RINGS)
        bpy.ops.object.shade_smooth()
    item = bpy.context.view_layer.objects.active
    item.data.calc_loop_triangles()
    measures["texture_triangles"] = float(len(item.data.loop_triangles))
    settings = bpy.context.scene.underpaint_texture
    settings.prompt, settings.size, settings.view_size = PROMPT, 256, 128
    settings.view_count, settings.steps = 4, 4
    watch.ticks = Times()
    watch.operator("texture")
    growing = addon("viewport.growing")._GROWING[0]
    yield from ticking(watch, lambda: growing.textures)
    own, wall = watch.operators["texture"]
    measures["texture_button_own_ms"], measures["texture_button_wall_ms"] = own, wall
    measures["texture_tick_slowest_own_ms"] = max(own, *watch.ticks.own)
    measures["texture_tick_slowest_wall_ms"] = max(wall, *watch.ticks.wall)
    watch.operator("cancel")
    yield from ticking(watch, lambda: not runtime().session.tasks)


def main() -> None:
    out, seconds, *extension = sys.argv[sys.argv.index("--") + 1 :]
    measures: dict[str, float] = {}
    if extension:
        bpy.ops.extensions.package_install_files(
            filepath=extension[0], repo="user_default", enable_on_install=True
        )
    steps = story(float(seconds), measures)

    def step() -> float:
        try:
            return next(steps)
        except StopIteration:
            _end(Path(out), measures, "")
        finally:
            # Blender drops a timer that raises, without a word.
            if sys.exc_info()[0] is not None:
                _end(Path(out), measures, traceback.format_exc())
        raise AssertionError("Blender has ended")

    bpy.context.preferences.view.show_splash = False
    # Where drawing is done in software, as one would have it there.
    bpy.context.preferences.system.viewport_aa = "OFF"
    bpy.app.timers.register(step, first_interval=1.0, persistent=True)


def _end(out: Path, measures: dict[str, float], failure: str) -> None:
    out.write_text(json.dumps({"measures": measures, "failure": failure}))
    sys.stdout.flush()
    os._exit(0)


main()
