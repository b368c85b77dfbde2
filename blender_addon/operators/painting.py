"""What all verbs that paint have in common: submit, come back at once, wait only in background."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from collections.abc import Callable
from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, FloatProperty

from underpaint.errors import UnderpaintError

from .. import pump
from ..link import runtime
from ..link.task import Task
from .failing import refuse


class Paints:
    """A mixin for operators that hand over a job."""

    bl_options: ClassVar[set[str]] = {"REGISTER"}

    wait: BoolProperty(
        default=True,
        options={"HIDDEN", "SKIP_SAVE"},
        description="In background mode, return when it is painted",
    )
    timeout: FloatProperty(
        default=1800.0,
        min=1.0,
        subtype="TIME",
        options={"HIDDEN", "SKIP_SAVE"},
        description="In background mode, the longest to wait, seconds",
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        return context.scene is not None

    def paint(self, submit: Callable[[], Task]) -> set[str]:
        """What the operator's `execute` gives, once `submit` has handed over the job; `submit`
        raises UnderpaintError for what cannot be painted."""
        live = runtime.live()
        live.error = None
        try:
            task = submit()
            pump.start()
            if bpy.app.background and self.wait:
                pump.run_until_ended(task, self.timeout)
        except UnderpaintError as error:
            return refuse(self, error)
        if task.error is not None:
            return refuse(self, task.error)
        return {"FINISHED"}
