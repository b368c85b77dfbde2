"""Live painting on and off."""

from __future__ import annotations

from typing import Any

import bpy

from underpaint.errors import UnderpaintError

from .. import pump
from ..link import runtime
from ..viewport import live_view
from .failing import allowed, refuse


class UNDERPAINT_OT_live(bpy.types.Operator):
    """Paint this viewport all the time: each change of view, scene and words is painted anew"""

    bl_idname = "underpaint.live"
    bl_label = "Live"

    @classmethod
    def poll(cls, context: Any) -> bool:
        on = live_view.now() is not None
        seen = on or (context.area is not None and context.area.type == "VIEW_3D")
        return allowed(cls, seen, "Press it in a 3D viewport")

    def execute(self, context: Any) -> set[str]:
        live, area = runtime.live(), context.area
        elsewhere = area is not None and area.type == "VIEW_3D" and not live_view.is_here(area)
        if live_view.now() is not None and not elsewhere:
            live_view.stop(live)
            pump.redraw()
            return {"FINISHED"}
        live.error = None
        try:
            live_view.start(live, area)
        except UnderpaintError as error:
            return refuse(self, error)
        pump.start()
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_live,)
