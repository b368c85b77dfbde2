"""What is being painted, what waits, and what failed. No bpy."""

from __future__ import annotations

from typing import Any

from underpaint.conversation.progress import rounded

from ..languages import say, tell
from ..link.runtime import Runtime
from ..link.task import Task
from ..plain.progress import PHASES
from .panel_parts import draw_text, fits

_MOST = 6
_SHORTEST, _BUTTON, _RETRY, _MOVES = 4, 5, 25, 16


def draw_queue(layout: Any, live: Runtime, room: int) -> None:
    """A bar for each painting under way, with its own Cancel; Retry for what failed. `room`:
    letters a line."""
    tasks = live.queue.in_order(live.session.kept_tasks)
    _draw_why_it_waits(layout, live, room)
    for task in tasks[:_MOST]:
        _draw_task(layout, live, task, room, many=len(tasks) > 1)
    if len(tasks) > _MOST:
        more = say("and {count} more", count=len(tasks) - _MOST)
        layout.label(text=more, translate=False)
    if len(tasks) > 1:
        row = layout.row(align=True)
        if live.queue.told is not None and not live.queue.paused:
            row.operator("underpaint.queue_pause", text="", icon="PAUSE").job = ""
        row.operator("underpaint.cancel", text="Cancel All", icon="X")
    for task in live.failed:
        row = layout.row(align=True)
        row.label(text=_name(task, room - _RETRY), icon="ERROR", translate=False)
        row.operator("underpaint.retry", icon="FILE_REFRESH").job = task.id
        row.operator("underpaint.retry_not", text="", icon="X").job = task.id


def progress_text(task: Task) -> str:
    """E.g. `Painting 3/8, 40 s left`."""
    return phase_text(task) + _left_text(task)


def phase_text(task: Task) -> str:
    """E.g. `Painting 3/8`."""
    return say(PHASES.get(task.phase, task.phase)) + _steps(task)


def _steps(task: Task) -> str:
    return f" {task.step}/{task.total}" if task.total > 1 else ""


def _left_text(task: Task) -> str:
    left = task.left_s
    if left is None:
        return ""
    number, minutes = rounded(left)
    told = say("{count} min left" if minutes else "{count} s left", count=number)
    return f", {told}"


def _draw_why_it_waits(layout: Any, live: Runtime, room: int) -> None:
    """That the queue is paused, with the way out; that somebody else has the graphics card."""
    if live.queue.paused:
        row = layout.row(align=True)
        row.label(text="Paused", icon="PAUSE")
        button = row.operator("underpaint.queue_pause", text="Resume", icon="PLAY")
        button.paused = False
    why = live.queue.yielded
    if why is not None and live.session.kept_tasks:
        told = say("Waits: {why}", why=tell(why)) if why else say("Waits for the GPU")
        draw_text(layout, told, room, "TIME", translate=False)


def _draw_task(layout: Any, live: Runtime, task: Task, room: int, *, many: bool) -> None:
    row = layout.row(align=True)
    row.scale_y = 1.0 if many else 1.6
    waits = live.queue.waits(task)
    before = live.queue.before(task) if waits else 0
    text = _bar_text(task, room, before, many=many, waits=waits)
    row.progress(text=text, factor=task.fraction, type="BAR", translate=False)
    if waits:
        _draw_place(row, live, task)
    row.operator("underpaint.cancel", text="", icon="X").job = task.id
    for warning in task.warnings[-1:]:
        draw_text(layout, warning, room, "INFO")


def _bar_text(task: Task, room: int, before: int, *, many: bool, waits: bool) -> str:
    """What stands in its bar. That it waits is said above, or by the buttons that move it; a
    painting that is alone here waits for other programs': `before`, how many."""
    if not many:
        told = say("Waiting, {count} before it", count=before) if before else progress_text(task)
        return _fitting(task, told, room - (_MOVES if waits else 0))
    if waits:
        return _name(task, room - _MOVES)
    if task.phase == "yielding":
        return _name(task, room - _BUTTON)
    steps = _steps(task).strip() or phase_text(task)
    return _fitting(task, f"{_name(task, room - len(steps) - _BUTTON)}: {steps}", room)


def _fitting(task: Task, text: str, room: int) -> str:
    """What the bar has room for: the steps are left out first, then what is done."""
    left = _left_text(task)
    shorter = (say(PHASES.get(task.phase, task.phase)) + left, left.removeprefix(", "))
    return next((one for one in (text, *shorter) if fits(one, room - _BUTTON)), shorter[1])


def _draw_place(row: Any, live: Runtime, task: Task) -> None:
    """Up, down, and the pause of one that waits."""
    for to, icon in (("UP", "TRIA_UP"), ("DOWN", "TRIA_DOWN")):
        move = row.operator("underpaint.queue_move", text="", icon=icon)
        move.job, move.to = task.id, to
    held = live.queue.is_paused(task)
    icon = "PLAY" if held else "PAUSE"
    pause = row.operator("underpaint.queue_pause", text="", icon=icon, depress=held)
    pause.job, pause.paused = task.id, not held


def _name(task: Task, room: int) -> str:
    words = " ".join(task.request.prompt.text.split()) or say("no words")
    return words if len(words) <= room else f"{words[: max(room, _SHORTEST)]}…"
