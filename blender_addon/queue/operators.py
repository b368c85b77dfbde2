"""Another place in the queue, and its pauses."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from underpaint.errors import UnderpaintError
from underpaint.wire.messages import Place

from ..link import runtime
from ..operators.failing import allowed, refuse


class _OfQueue:
    """A mixin: it changes the daemon's queue."""

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return allowed(cls, runtime.live().session.reachable, "The daemon does not run")


class UNDERPAINT_OT_queue_move(_OfQueue, bpy.types.Operator):
    """Paint this one before or after the one beside it. Shift: before all others"""

    bl_idname = "underpaint.queue_move"
    bl_label = "Move in the Queue"

    job: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="The painting, by the id of its job"
    )
    to: EnumProperty(
        name="Where",
        items=[
            ("FRONT", "To the Front", "Before all that wait"),
            ("UP", "Up", "Before the one above it"),
            ("DOWN", "Down", "After the one below it"),
        ],
        default="UP",
        options={"SKIP_SAVE"},
        description="Where the painting goes in the queue",
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        if event.shift and self.to == "UP":
            self.to = "FRONT"
        return self.execute(context)

    def execute(self, _context: Any) -> set[str]:
        live = runtime.live()
        if self.job not in live.session.tasks:
            return {"CANCELLED"}
        try:
            live.queue.move(self.job, Place[self.to])
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}


class UNDERPAINT_OT_queue_pause(_OfQueue, bpy.types.Operator):
    """Let nothing new begin until you press Resume; what is painted now goes on to its end"""

    bl_idname = "underpaint.queue_pause"
    bl_label = "Pause"

    job: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"},
        description="The painting that waits, by the id of its job; empty: the whole queue",
    )
    paused: BoolProperty(
        name="Paused",
        default=True,
        options={"SKIP_SAVE"},
        description="Off: it goes on",
    )

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        texts = {
            (True, False): "Let nothing new begin until you press Resume; what is painted now "
            "goes on to its end",
            (False, False): "Paint what waits",
            (True, True): "Have this one wait until you press it again; others pass it",
            (False, True): "This one waits its turn again",
        }
        text = texts[properties.paused, bool(properties.job)]
        return str(bpy.app.translations.pgettext_tip(text))

    def execute(self, _context: Any) -> set[str]:
        try:
            runtime.live().queue.pause(self.job, self.paused)
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_queue_move, UNDERPAINT_OT_queue_pause)
