"""Start the daemon, dismiss an error."""

from __future__ import annotations

from typing import Any

import bpy

from underpaint.errors import UnderpaintError

from .. import pump
from ..link import runtime
from .failing import refuse


class UNDERPAINT_OT_start_daemon(bpy.types.Operator):
    """Find the program that paints on this computer, or start it"""

    bl_idname = "underpaint.start_daemon"
    bl_label = "Start"

    def execute(self, _context: Any) -> set[str]:
        live = runtime.live()
        live.error = None
        try:
            live.session.start()
        except UnderpaintError as error:
            return refuse(self, error)
        pump.start()
        return {"FINISHED"}


class UNDERPAINT_OT_dismiss_error(bpy.types.Operator):
    """Hide this message; the next painting shows its own"""

    bl_idname = "underpaint.dismiss_error"
    bl_label = "Dismiss"

    def execute(self, _context: Any) -> set[str]:
        runtime.live().error = None
        return {"FINISHED"}
