"""Blender's timer: lets the session look at what has come, and shows it. At most 5 ms a tick."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import bpy

from underpaint.errors import ConnectionLost, ErrorCode, JobFailed

from .animation.animating import Animating
from .following import icons
from .gallery import thumbnails
from .install import following
from .install.installing import Installing
from .layers import shown
from .link import runtime
from .link.connected import DaemonState
from .ui import preferences
from .viewport import growing, live_view, overlay
from .writing import texts

BUDGET_S = 0.005
_BUSY_S, _IDLE_S, _BY_HAND_S = 1 / 30, 0.5, 0.02
_LOG = logging.getLogger(__package__)


def start() -> None:
    """Register the timer; it survives loading another file."""
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=_IDLE_S, persistent=True)


def stop() -> None:
    """Remove the timer."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


def tick() -> float:
    """One look; seconds to the next. A boundary: whatever fails is logged and shown, because a
    timer that raises is silently removed by Blender."""
    live = runtime.live()
    before = _glance(live)
    try:
        _step(live)
    except Exception as error:
        _LOG.exception("the pump failed")
        live.error = JobFailed(ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")
    if _glance(live) != before:
        redraw()
    busy = live.session.tasks or live.is_installing or live.drawing or live_view.now()
    busy = busy or live.is_animating or live.shown.asking
    busy = busy or live.session.state is DaemonState.STARTING or live.gallery.waits
    return _BUSY_S if busy else _IDLE_S


def run_until(happened: Callable[[], bool], timeout: float) -> None:
    """Pump by hand until something is so: timers do not run in background mode.

    Raises ConnectionLost after `timeout` seconds, or when the daemon is gone for good; an
    accepted job goes on in the daemon.
    """
    live, deadline = runtime.live(), time.monotonic() + timeout
    live.leaving.end()  # a script that waits within a render would wait for itself
    while not happened():
        if time.monotonic() > deadline:
            raise ConnectionLost(ErrorCode.TIMEOUT, f"not painted after {timeout:.0f} s")
        tick()
        live.session.check_reachable()
        time.sleep(_BY_HAND_S)
    tick()


def redraw() -> None:
    """Draw the 3D viewports, the Image Editors and their sidebars anew."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "IMAGE_EDITOR"):
                area.tag_redraw()


def _step(live: runtime.Runtime) -> None:
    for task in live.session.tick(BUDGET_S):
        if task.passing:
            live_view.take(live, task)
            continue
        if task.error is not None:
            cancelled = task.error.code is ErrorCode.CANCELLED
            live.error = None if cancelled else task.error
            if not (cancelled or task.not_saved):
                live.keep_failed(task)
            continue
        live.error = task.elsewhere or live.error
        live.finished[task.id] = task
        live.gallery.refresh()
        _as_one_step(bpy.ops.underpaint.apply_result, job=task.id)
    following.follow(live, preferences.daemon_paths)
    texts.follow()
    _follow_animation(live)
    live_view.tick(live)
    live.gallery.tick()
    live.queue.tick()
    thumbnails.update(live.gallery)
    icons.update(live.shown)
    overlay.update(live.current)
    growing.update(live.current)
    shown.begin(live, time.monotonic())
    live.do_a_piece()
    for uid in tuple(live.flattened):
        _as_one_step(bpy.ops.underpaint.apply_flat, material=str(uid))


def _follow_animation(live: runtime.Runtime) -> None:
    """Show the end of one, once."""
    animating = live.animating
    if animating is None or animating.taken or not animating.ended:
        return
    animating.taken = True
    if animating.error is not None:
        live.error = animating.error
    elif animating.ended == "painted":
        _as_one_step(bpy.ops.underpaint.apply_animation)


def _as_one_step(operator: Any, **what: str) -> None:
    """Operators are one undo step. Without `temp_override`: by the end of an operator Blender 4.2
    looks into that without holding Python, and crashes while one of our threads runs."""
    operator("EXEC_DEFAULT", True, **what)


def _glance(live: runtime.Runtime) -> tuple[Any, ...]:
    """What the panel and the viewport show, to see whether they must be drawn anew."""
    task, session = live.current, live.session
    shown = (task.id, task.phase, task.step, task.previews_seen) if task else ()
    shown = (*shown, len(session.kept_tasks), len(live.failed))
    seen = (session.state, shown, session.models, id(live.error), live.last_image, live.drawing)
    work, installing = live.shown_work, live.installing
    seen = (*seen, live.installed, _of_installing(installing))
    animating = live.animating
    seen = (*seen, animating and _of_animating(animating), session.starting.left_s)
    return (
        *seen,
        _of_live(),
        growing.drawn(),
        work and work.fraction,
        live.gallery.changes,
        live.queue.told,
        live.shown.looks,
        live.gallery.fresh[:1],
    )


def _of_animating(animating: Animating) -> tuple[Any, ...]:
    return animating.line, animating.doing, animating.left, animating.note, animating.taken


def _of_installing(installing: Installing | None) -> tuple[str, ...]:
    return (installing.text, installing.numbers, installing.ended) if installing else ()


def _of_live() -> tuple[Any, ...]:
    """What the panel says of the live view while no picture comes; what comes is drawn anyway."""
    state = live_view.now()
    if state is None or state.per_second:
        return ()
    return state.rests, state.newest.phase if state.newest else "", id(state.lacks)
