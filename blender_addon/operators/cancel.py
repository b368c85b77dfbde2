"""Cancel what is being painted."""

from __future__ import annotations

from typing import Any

import bpy

from underpaint.errors import UnderpaintError

from ..link import runtime
from .failing import refuse


class UNDERPAINT_OT_cancel(bpy.types.Operator):
    """Stop at the next step"""

    bl_idname = "underpaint.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return bool(runtime.live().session.tasks)

    def execute(self, _context: Any) -> set[str]:
        try:
            runtime.live().session.cancel()
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}
