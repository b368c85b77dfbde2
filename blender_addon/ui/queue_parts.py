"""What is being painted, what waits, and what failed. No bpy."""

from __future__ import annotations

from typing import Any

from ..link.runtime import Runtime
from ..link.task import Task

_MOST = 6
_NAME_LENGTH = 24


def draw_queue(layout: Any, live: Runtime) -> None:
    """A bar for each painting under way, with its own Cancel; Retry for what failed."""
    tasks = [task for task in live.session.tasks.values() if not task.passing]
    for task in tasks[:_MOST]:
        _draw_task(layout, task, many=len(tasks) > 1)
    if len(tasks) > 1:
        more = f"and {len(tasks) - _MOST} more" if len(tasks) > _MOST else ""
        row = layout.row()
        row.label(text=more)
        row.operator("underpaint.cancel", text="Cancel All", icon="X")
    for task in live.failed:
        row = layout.row(align=True)
        row.label(text=f"Failed: {_name(task)}", icon="ERROR")
        row.operator("underpaint.retry", icon="FILE_REFRESH").job = task.id
        row.operator("underpaint.retry_not", text="", icon="X").job = task.id


def progress_text(task: Task) -> str:
    """E.g. `denoising 3/8, 4 s left`."""
    steps = f" {task.step}/{task.total}" if task.total else ""
    eta = f", {task.eta_s:.0f} s left" if task.eta_s is not None else ""
    return f"{task.phase}{steps}{eta}"


def _draw_task(layout: Any, task: Task, *, many: bool) -> None:
    row = layout.row(align=True)
    row.scale_y = 1.0 if many else 1.6
    text = f"{_name(task)}: {progress_text(task)}" if many else progress_text(task)
    row.progress(text=text, factor=task.fraction, type="BAR")
    row.operator("underpaint.cancel", text="", icon="X").job = task.id
    for warning in task.warnings[-1:]:
        layout.label(text=warning, icon="INFO")


def _name(task: Task) -> str:
    words = task.request.prompt.text.strip() or "no words"
    return words if len(words) <= _NAME_LENGTH else f"{words[:_NAME_LENGTH]}…"
