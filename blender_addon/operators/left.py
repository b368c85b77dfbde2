"""Fetch, or forget, what was painted while Blender was closed."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import StringProperty

from underpaint.errors import ErrorCode, RequestError, UnderpaintError

from ..link import runtime
from .failing import refuse


class UNDERPAINT_OT_fetch_left(bpy.types.Operator):
    """Fetch what was painted while Blender was closed, or follow it if it is still painted"""

    bl_idname = "underpaint.fetch_left"
    bl_label = "Fetch"

    job: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="The painting, by the id of its job"
    )

    def execute(self, _context: Any) -> set[str]:
        session = runtime.live().session
        note = next((note for note in session.left if note.job == self.job), None)
        if note is None:
            return {"CANCELLED"}
        try:
            session.fetch_left(note)
        except UnderpaintError as error:
            return refuse(self, error)
        except OSError as error:
            hint = "Make its folder readable again, or press Leave beside it."
            return refuse(self, RequestError(ErrorCode.FILE, f"{note.folder}: {error}", hint=hint))
        return {"FINISHED"}


class UNDERPAINT_OT_drop_left(bpy.types.Operator):
    """Do not fetch this painting; it is removed in time"""

    bl_idname = "underpaint.drop_left"
    bl_label = "Leave"

    job: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="The painting, by the id of its job"
    )

    def execute(self, _context: Any) -> set[str]:
        runtime.live().session.drop_left(self.job)
        return {"FINISHED"}
