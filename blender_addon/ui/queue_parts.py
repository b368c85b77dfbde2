"""What is being painted, what waits, and what failed. No bpy."""

from __future__ import annotations

from typing import Any

from underpaint.conversation.progress import rounded

from ..languages import say
from ..link.runtime import Runtime
from ..link.task import Task
from ..plain.progress import PHASES
from .panel_parts import draw_text, fits

_MOST = 6
_SHORTEST, _BUTTON, _RETRY = 4, 5, 25


def draw_queue(layout: Any, live: Runtime, room: int) -> None:
    """A bar for each painting under way, with its own Cancel; Retry for what failed. `room`:
    letters a line."""
    tasks = live.session.kept_tasks
    for task in tasks[:_MOST]:
        _draw_task(layout, task, room, many=len(tasks) > 1)
    if len(tasks) > 1:
        more = say("and {count} more", count=len(tasks) - _MOST) if len(tasks) > _MOST else ""
        row = layout.row()
        row.label(text=more, translate=False)
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


def _draw_task(layout: Any, task: Task, room: int, *, many: bool) -> None:
    row = layout.row(align=True)
    row.scale_y = 1.0 if many else 1.6
    text = progress_text(task)
    if many:
        text = _steps(task).strip() or phase_text(task)
        text = f"{_name(task, room - len(text) - _BUTTON)}: {text}"
    else:
        text = _fitting(task, text, room)
    row.progress(text=text, factor=task.fraction, type="BAR", translate=False)
    row.operator("underpaint.cancel", text="", icon="X").job = task.id
    for warning in task.warnings[-1:]:
        draw_text(layout, warning, room, "INFO")


def _fitting(task: Task, text: str, room: int) -> str:
    """What the bar has room for: the steps are left out first, then what is done."""
    left = _left_text(task)
    shorter = (say(PHASES.get(task.phase, task.phase)) + left, left.removeprefix(", "))
    return next((one for one in (text, *shorter) if fits(one, room - _BUTTON)), shorter[1])


def _name(task: Task, room: int) -> str:
    words = " ".join(task.request.prompt.text.split()) or say("no words")
    return words if len(words) <= room else f"{words[: max(room, _SHORTEST)]}…"
