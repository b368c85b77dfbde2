"""Live: every change of view, scene or words is painted anew and lies over the viewport.

One picture is under way at a time. A quick one is left to end, so that something is seen while
the view moves; a better one is cancelled as soon as anything changes.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from underpaint.buffers import Buffers
from underpaint.cameras import Camera
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import ImageRequest

from ..capture import Viewport, capture_view
from ..image.pictures import color_of
from ..image.request import image_request, wanted_buffers
from ..link.runtime import Runtime, native_side
from ..link.task import Task
from ..plain.live_plan import Plan, at_level
from ..ui.properties import read_settings

_ROUNDED = 5
_COUNTED = 20
_SEEN_TYPES = (
    *(bpy.types.Object, bpy.types.Mesh, bpy.types.Material, bpy.types.Light),
    *(bpy.types.World, bpy.types.Camera, bpy.types.Collection),
)


@dataclass(slots=True, eq=False)
class Live:
    """`area`: the viewport's address. `changes`: of the scene so far; `own`: while ours are made.
    `picture`: (h, w, 3) uint8, the newest, seen by `camera`; `pictures` so far. `times`: when the
    last ones came."""

    area: int
    plan: Plan = field(default_factory=Plan)
    changes: int = 0
    own: bool = False
    task: Task | None = None
    asked: tuple[object, int] = (None, 0)
    cancelled: bool = False
    picture: Any = None
    camera: Camera | None = None
    pictures: int = 0
    times: deque[float] = field(default_factory=lambda: deque(maxlen=_COUNTED))

    @property
    def per_second(self) -> float:
        """Pictures a second, of the last ones."""
        span = self.times[-1] - self.times[0] if len(self.times) > 1 else 0.0
        return (len(self.times) - 1) / span if span else 0.0


_ON: list[Live] = []


def now() -> Live | None:
    """The live view, while it is on."""
    return _ON[0] if _ON else None


def start(live: Runtime, area: Any) -> None:
    """Switch it on in a viewport. Raises UnderpaintError."""
    stop(live)
    live.session.start()
    _ON.append(Live(area.as_pointer()))
    bpy.app.handlers.depsgraph_update_post.append(_scene_changed)


def stop(live: Runtime) -> None:
    """Switch it off; what was under way is cancelled."""
    while _ON:
        shown = _ON.pop()
        if shown.task is not None and not shown.task.ended:
            live.session.cancel(shown.task.id)
    handlers = bpy.app.handlers.depsgraph_update_post
    if _scene_changed in handlers:
        handlers.remove(_scene_changed)


def shown() -> int:
    """How many pictures have come, to see whether the viewport must be drawn anew."""
    return _ON[0].pictures if _ON else -1


def tick(live: Runtime) -> None:
    """Look whether anything has changed, and ask for the next picture."""
    state = now()
    if state is None or not (live.session.reachable and live.session.told):
        return
    place = _place(state.area)
    if place is None:
        stop(live)
        return
    window, area, region = place
    with bpy.context.temp_override(window=window, area=area, region=region):
        if state.plan.look(_key(bpy.context, state)):
            _replace_better(live, state)
        if state.task is None and state.plan.wants:
            _ask(live, state, bpy.context, area)


def take(live: Runtime, task: Task) -> None:
    """A picture of the live view has ended."""
    state = now()
    if state is not None and state.task is task:
        state.task, state.cancelled = None, False
        if task.error is None:
            _show(state, task)
        elif task.error.code is not ErrorCode.CANCELLED:
            live.error = task.error
            stop(live)
    live.session.drop(task.id)
    shutil.rmtree(task.folder, ignore_errors=True)


@persistent  # type: ignore[untyped-decorator]
def _scene_changed(_scene: Any, depsgraph: Any) -> None:
    state = now()
    if (
        state is not None
        and not state.own
        and any(isinstance(u.id, _SEEN_TYPES) for u in depsgraph.updates)
    ):
        state.changes += 1


@contextmanager
def _unseen(state: Live) -> Iterator[None]:
    """What is done within is no change of the scene: to load an image lets Blender tell of one.

    What the artist changed before is counted first."""
    _evaluate()
    state.own = True
    try:
        yield
        _evaluate()
    finally:
        state.own = False


def _evaluate() -> None:
    for window in bpy.context.window_manager.windows:
        window.view_layer.update()


def _replace_better(live: Runtime, state: Live) -> None:
    """Nobody waits any more for a better picture of what was."""
    if state.task is not None and state.asked[1] > 0 and not state.cancelled:
        state.cancelled = True
        live.session.cancel(state.task.id)


def _ask(live: Runtime, state: Live, context: Any, area: Any) -> None:
    key, level = state.plan.key, state.plan.level
    try:
        request, buffers = _request(context, area, level)
        state.asked = (key, level)
        state.task = live.session.submit(
            request,
            buffers,
            scene=context.scene.name,
            folder=Path(bpy.app.tempdir),
            passing=True,
        )
    except UnderpaintError as error:
        live.error = error
        stop(live)


def _request(context: Any, area: Any, level: int) -> tuple[ImageRequest, Buffers]:
    pictures = Buffers()
    region = context.region
    asked = read_settings(context.scene.underpaint, pictures)
    aspect = region.width / region.height
    settings = at_level(asked, level, aspect, native_side(asked.model))
    wants = wanted_buffers(settings)
    view, buffers = None, Buffers()
    if wants:
        where = Viewport.of_area(area)
        view, buffers = capture_view(context, where, settings.width, settings.height, wants)
    for ref in (settings.reference, *(control.image for control in settings.active_controls)):
        if ref is not None:
            buffers.add(ref.kind, pictures[ref.sha256])
    return image_request(settings, view), buffers


def _show(state: Live, task: Task) -> None:
    with _unseen(state):
        image = bpy.data.images.load(str(task.files[0]), check_existing=False)
        try:
            state.picture = np.ascontiguousarray(color_of(image))
        finally:
            bpy.data.images.remove(image)
    request = task.request
    seen = request.view if isinstance(request, ImageRequest) else None
    state.camera = seen.camera if seen else None
    state.pictures += 1
    state.times.append(time.monotonic())
    state.plan.painted(*state.asked)


def _key(context: Any, state: Live) -> tuple[Any, ...]:
    """What a picture depends on: view, size, settings, scene."""
    view, region = context.region_data, context.region
    matrices = (view.view_matrix, view.window_matrix)
    numbers = tuple(round(x, _ROUNDED) for m in matrices for row in m for x in row)
    settings = read_settings(context.scene.underpaint)
    return numbers, region.width, region.height, settings, context.scene.name, state.changes


def _place(address: int) -> tuple[Any, Any, Any] | None:
    """Window, area and region of the viewport, if it is still open."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.as_pointer() == address and area.type == "VIEW_3D":
                region = next(r for r in area.regions if r.type == "WINDOW")
                return window, area, region
    return None
