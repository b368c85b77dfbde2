"""The panel of what a picture follows of the scene."""

from __future__ import annotations

from typing import Any

import bpy

from underpaint.requests import ControlKind

from ..languages import say
from ..link import runtime
from ..ui.model_defaults import can, wanted_controls
from ..ui.panel_parts import InSidebar, draw_pattern
from .kinds import PANEL_CONTROLS, ControlSource
from .properties import name_of
from .seeing import draw_look, draw_seen

_NAME = 0.58
"""A name's share of its row."""


class UNDERPAINT_PT_controls(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_controls"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Follow the Scene"

    def draw(self, context: Any) -> None:
        settings = context.scene.underpaint
        if settings.model_controls:
            _draw_wanted(self.layout, settings.model)
        else:
            self.layout.operator("underpaint.controls_by_model", icon="LOOP_BACK")
            _draw_rows(self.layout, settings)
        draw_look(self.layout)
        if runtime.follows_guide(settings.model):
            draw_pattern(self.layout, settings)


CLASSES = (UNDERPAINT_PT_controls,)


def _draw_wanted(layout: Any, model: str) -> None:
    """What the model follows by itself, and the way to choose."""
    kinds = ", ".join(say(name_of(ControlKind(kind))) for kind in wanted_controls(model))
    row = layout.row(align=True)
    row.label(text=kinds or say("Automatic"), icon="CHECKMARK", translate=False)
    row.operator("underpaint.controls_by_hand")
    for kind in wanted_controls(model):
        draw_seen(row, kind)


def _draw_rows(layout: Any, settings: Any) -> None:
    """The kinds that the model has a network for, or that are on; behind a fold those that take a
    ControlNet of one's own, if it can follow any."""
    record = runtime.record_of(settings.model)
    has = PANEL_CONTROLS if record is None else record.controls
    column = layout.column(align=True)
    others = []
    for kind in PANEL_CONTROLS:
        if kind in has or getattr(settings, f"{kind.value}_enabled"):
            _draw_control(column, settings, kind.value, kind in has)
        else:
            others.append(kind)
    if not others or not can(record, "controls"):
        return
    is_open = settings.more_controls
    icon = "DISCLOSURE_TRI_DOWN" if is_open else "DISCLOSURE_TRI_RIGHT"
    column.prop(settings, "more_controls", icon=icon, emboss=False)
    for kind in others if is_open else ():
        _draw_control(column, settings, kind.value, False)


def _draw_control(column: Any, settings: Any, kind: str, has: bool) -> None:
    """A row: on or off, how strong, and a fold with when and from what. `has`: whether the model
    has a network for it; without one, what is lacking is shown."""
    if not getattr(settings, f"{kind}_enabled"):
        column.prop(settings, f"{kind}_enabled")
        return
    row = column.split(factor=_NAME, align=True)
    row.prop(settings, f"{kind}_enabled")
    is_open = getattr(settings, f"{kind}_open") or not (has or getattr(settings, f"{kind}_model"))
    row = row.row(align=True)
    draw_seen(row, kind)
    row.prop(settings, f"{kind}_scale", text="")
    icon = "DISCLOSURE_TRI_DOWN" if is_open else "DISCLOSURE_TRI_RIGHT"
    row.prop(settings, f"{kind}_open", text="", icon=icon, emboss=False)
    if is_open:
        _draw_fold(column.box().column(align=True), settings, kind, has)


def _draw_fold(box: Any, settings: Any, kind: str, has: bool) -> None:
    row = box.row(align=True)
    row.prop(settings, f"{kind}_start")
    row.prop(settings, f"{kind}_end")
    own = "The model's ControlNet" if has else "Its ControlNet's file"
    box.prop(settings, f"{kind}_model", text="", placeholder=own)
    _draw_source(box, settings, kind)


def _draw_source(box: Any, settings: Any, kind: str) -> None:
    """Where its picture comes from, and what belongs to that."""
    source = getattr(settings, f"{kind}_source")
    box.prop(settings, f"{kind}_source", text="")
    if source == ControlSource.IMAGE:
        box.template_ID(settings, f"{kind}_image", open="image.open")
    elif source == ControlSource.OBJECTS:
        box.prop(settings, f"{kind}_object", text="", icon="OBJECT_DATA")
        box.prop(settings, f"{kind}_collection", text="")
    elif source == ControlSource.ARMATURE:
        box.prop(settings, f"{kind}_armature", text="", icon="ARMATURE_DATA")
