"""Cancel what is being painted, and try again what failed."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import StringProperty

from underpaint.errors import UnderpaintError

from .. import pump
from ..link import runtime
from .failing import allowed, refuse


class UNDERPAINT_OT_cancel(bpy.types.Operator):
    """Stop this painting at its next step; nothing of it is kept"""

    bl_idname = "underpaint.cancel"
    bl_label = "Cancel"

    job: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"},
        description="The painting, by the id of its job; empty: all of them",
    )

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return allowed(cls, runtime.live().session.tasks, "Nothing is being painted")

    def execute(self, _context: Any) -> set[str]:
        try:
            runtime.live().session.cancel(self.job)
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}


class _OfFailed:
    """A mixin: on one of the paintings that failed."""

    job: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="The painting, by the id of its job"
    )


class UNDERPAINT_OT_retry(_OfFailed, bpy.types.Operator):
    """Ask for this painting once more, with the same settings and view"""

    bl_idname = "underpaint.retry"
    bl_label = "Retry"

    def execute(self, _context: Any) -> set[str]:
        live = runtime.live()
        task = next((task for task in live.failed if task.id == self.job), None)
        if task is None or task.buffers is None:
            return {"CANCELLED"}
        try:
            live.session.submit(
                task.request,
                task.buffers,
                scene=task.scene,
                folder=task.folder.parent,
                target=task.target,
            )
        except UnderpaintError as error:
            return refuse(self, error)
        live.failed.remove(task)
        live.error = None
        pump.start()
        return {"FINISHED"}


class UNDERPAINT_OT_retry_not(_OfFailed, bpy.types.Operator):
    """Take the painting that failed off this list; it is not tried again"""

    bl_idname = "underpaint.retry_not"
    bl_label = "Leave"

    def execute(self, _context: Any) -> set[str]:
        live = runtime.live()
        live.failed[:] = [task for task in live.failed if task.id != self.job]
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_cancel, UNDERPAINT_OT_retry, UNDERPAINT_OT_retry_not)
