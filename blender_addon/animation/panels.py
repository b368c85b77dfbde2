"""The sidebar's Animation section."""

from __future__ import annotations

from typing import Any

import bpy

from underpaint.animation.series import FIRST, OPENING, STARTING

from ..languages import say
from ..link import runtime
from ..ui.panel_parts import InSidebar, characters, draw_text, in_property_rows
from .animating import Animating, unfinished
from .operators import animated

_BIG = 1.4
_DOING = {OPENING: "Opening the scene", STARTING: "Starting", FIRST: "The first frame"}


class UNDERPAINT_PT_animation(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_animation"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Animation"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)

    def draw(self, context: Any) -> None:
        layout, scene, live = self.layout, context.scene, runtime.live()
        _draw_range(in_property_rows(layout.column()), scene)
        _draw_values(layout.column(align=True), scene)
        if live.animating is not None and live.is_animating:
            _draw_progress(layout, live.animating, characters(context))
            return
        row = layout.row()
        row.scale_y = _BIG
        row.operator("underpaint.animate", icon="RENDER_ANIMATION")
        last = scene.underpaint_animation.last
        row = layout.row(align=True)
        if unfinished(last):
            row.operator("underpaint.animate", text="Go On", icon="PLAY").go_on = True
        if last:
            row.operator("wm.path_open", text="Open Folder", icon="FILE_FOLDER").filepath = last


CLASSES = (UNDERPAINT_PT_animation,)


def _draw_range(column: Any, scene: Any) -> None:
    rows = column.column(align=True)
    # Blender's own, which it would translate in other words.
    rows.prop(scene, "frame_start", text=say("From Frame"), translate=False)
    rows.prop(scene, "frame_end", text=say("To Frame"), translate=False)
    rows.prop(scene, "frame_step", text=say("Step"), translate=False)
    settings = scene.underpaint_animation
    column.prop(settings, "refresh", slider=True)
    column.prop(settings, "folder")


def _draw_values(column: Any, scene: Any) -> None:
    """Those that change over time, each with its keyframes."""
    column.use_property_split = True
    for key, label in animated(scene):
        column.prop(scene, f'["{key}"]', text=say(label), translate=False)
    column.operator_menu_enum("underpaint.animate_value", "name", icon="KEY_HLT")


def _draw_progress(layout: Any, animating: Animating, room: int) -> None:
    row = layout.row(align=True)
    row.scale_y = _BIG
    row.progress(text=_bar_text(animating), factor=animating.fraction, type="BAR", translate=False)
    row.operator("underpaint.animation_cancel", text="", icon="X")
    if animating.note:
        draw_text(layout, animating.note, room, "INFO")


def _bar_text(animating: Animating) -> str:
    """E.g. `3/24, 2 min`; before the first frame what goes on, and for how long."""
    if not animating.doing:
        return animating.line or say("Starting")
    left = f", {animating.left}" if animating.left else ""
    return say(_DOING.get(animating.doing, animating.doing)) + left
