"""Live: every change of view, scene or words is painted anew and lies over the viewport.

While the view moves one quick picture is painted and one more waits, so that what paints never
does: it is asked for when the one before is at its last step, of what is seen by then. A better
picture is cancelled as soon as anything changes, and not waited for.
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

from underpaint.cameras import Camera
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import ImageRequest, InpaintRequest

from ..capture import Kept, main_region
from ..image.pictures import color_of
from ..link.runtime import Runtime
from ..link.task import Task
from ..plain.live_plan import QUICK, Plan
from .live_request import request_at, what_is_seen

_COUNTED = 20
_SEEN_TYPES = (
    *(bpy.types.Object, bpy.types.Mesh, bpy.types.Material, bpy.types.Light),
    *(bpy.types.World, bpy.types.Camera, bpy.types.Collection),
)


@dataclass(slots=True, eq=False)
class Asked:
    """A picture under way: what it was asked of, and as the how good one."""

    task: Task
    key: object
    level: int
    cancelled: bool = False

    @property
    def nearly_done(self) -> bool:
        """Whether it is at its last step, or past it."""
        task = self.task
        last = task.phase == "denoising" and task.step >= task.total - 1
        return last or task.phase in ("decoding", "saving", "fetching")


@dataclass(slots=True, eq=False)
class Live:
    """`area`: the viewport's address. `changes`: of the scene so far; `own`: while ours are made.
    `under_way`: oldest first. `picture`: (h, w, 3) uint8, the newest, seen by `camera`; `pictures`
    so far. `times`: when the last ones came. `kept`: meshes as they were last captured. `lacks`:
    why what is seen now cannot be painted; it goes on when something changes."""

    area: int
    plan: Plan = field(default_factory=Plan)
    changes: int = 0
    own: bool = False
    under_way: list[Asked] = field(default_factory=list)
    picture: Any = None
    camera: Camera | None = None
    pictures: int = 0
    times: deque[float] = field(default_factory=lambda: deque(maxlen=_COUNTED))
    kept: Kept = field(default_factory=Kept)
    lacks: UnderpaintError | None = None

    @property
    def per_second(self) -> float:
        """Pictures a second, of the last ones since it rested."""
        span = self.times[-1] - self.times[0] if len(self.times) > 1 else 0.0
        return (len(self.times) - 1) / span if span else 0.0

    @property
    def rests(self) -> bool:
        """Whether the best picture of what is seen is there."""
        return not self.plan.wants and not self.under_way

    @property
    def newest(self) -> Task | None:
        """The newest picture that is under way."""
        return self.under_way[-1].task if self.under_way else None

    @property
    def may_ask(self) -> bool:
        """Whether there is a picture to ask for, and what paints will soon have time for it."""
        waited_for = [asked for asked in self.under_way if not asked.cancelled]
        if not self.plan.wants or not waited_for:
            return self.plan.wants
        (first, *more), plan = waited_for, self.plan
        quick = first.level == plan.level == QUICK and first.key != plan.key
        return quick and not more and first.nearly_done


_ON: list[Live] = []


def now() -> Live | None:
    """The live view, while it is on."""
    return _ON[0] if _ON else None


def is_here(area: Any) -> bool:
    """Whether the live view is on in this viewport."""
    state = now()
    return state is not None and area is not None and state.area == area.as_pointer()


def start(live: Runtime, area: Any) -> None:
    """Switch it on in a viewport. Raises UnderpaintError."""
    stop(live)
    live.session.start()
    _ON.append(Live(area.as_pointer()))
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def stop(live: Runtime) -> None:
    """Switch it off; what was under way is cancelled."""
    while _ON:
        shown = _ON.pop()
        for asked in shown.under_way:
            if not asked.task.ended:
                live.session.cancel(asked.task.id)
    for name, handler in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)


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
        rested = state.rests
        if state.plan.look(*what_is_seen(bpy.context, state.changes)):
            _replace_better(live, state)
            state.lacks = None
            if rested:
                state.times.clear()
        if state.may_ask:
            _ask(live, state, bpy.context, area)


def take(live: Runtime, task: Task) -> None:
    """A picture of the live view has ended."""
    state = now()
    asked = next((one for one in state.under_way if one.task is task), None) if state else None
    if state is not None and asked is not None:
        state.under_way.remove(asked)
        if task.error is None:
            _show(state, asked)
        elif task.error.code is not ErrorCode.CANCELLED:
            live.error = task.error
            stop(live)
    live.session.drop(task.id)
    if task.files:
        shutil.rmtree(task.folder, ignore_errors=True)


@persistent  # type: ignore[untyped-decorator]
def _scene_changed(_scene: Any, depsgraph: Any) -> None:
    for state in _ON:
        if any(update.is_updated_geometry for update in depsgraph.updates):
            state.kept.clear()
        if not state.own and any(isinstance(u.id, _SEEN_TYPES) for u in depsgraph.updates):
            state.changes += 1


@persistent  # type: ignore[untyped-decorator]
def _all_changed(*_: Any) -> None:
    """Another frame; after undo and redo: another scene."""
    for state in _ON:
        state.kept.clear()
        state.changes += 1


_HANDLERS = (
    ("depsgraph_update_post", _scene_changed),
    ("frame_change_post", _all_changed),
    ("undo_post", _all_changed),
    ("redo_post", _all_changed),
)


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
    for asked in state.under_way:
        if asked.level > QUICK and not asked.cancelled:
            asked.cancelled = True
            live.session.cancel(asked.task.id)


def _ask(live: Runtime, state: Live, context: Any, area: Any) -> None:
    key, level = state.plan.key, state.plan.level
    try:
        request, buffers = request_at(context, area, state.plan, state.kept)
        task = live.session.submit(
            request,
            buffers,
            scene=context.scene.name,
            folder=Path(bpy.app.tempdir),
            passing=True,
        )
        state.under_way.append(Asked(task, key, level))
    except UnderpaintError as error:
        if error.code is ErrorCode.CAPTURE_FAILED:  # the artist looks elsewhere again
            state.lacks = error
            state.plan.rest()
            return
        live.error = error
        stop(live)


def _show(state: Live, asked: Asked) -> None:
    """Unless it was cancelled too late: a newer one is there by now, or will be."""
    task = asked.task
    if asked.cancelled:
        return
    state.picture = _loaded(state, task) if task.finished is None else task.finished
    request = task.request
    seen = request.view if isinstance(request, ImageRequest | InpaintRequest) else None
    state.camera = seen.camera if seen else None
    state.pictures += 1
    state.times.append(time.monotonic())
    state.plan.painted(asked.key, asked.level)
    if (place := _place(state.area)) is not None:
        place[1].tag_redraw()


def _loaded(state: Live, task: Task) -> Any:
    """Its file's pixels."""
    with _unseen(state):
        image = bpy.data.images.load(str(task.files[0]), check_existing=False)
        try:
            return np.ascontiguousarray(color_of(image))
        finally:
            bpy.data.images.remove(image)


def _place(address: int) -> tuple[Any, Any, Any] | None:
    """Window, area and region of the viewport, if it is still open."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.as_pointer() == address and area.type == "VIEW_3D":
                return window, area, main_region(area)
    return None
