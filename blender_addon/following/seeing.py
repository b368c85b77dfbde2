"""See what the model sees: a button that asks for it, and a large picture of each control."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from underpaint.buffers import Buffers
from underpaint.errors import UnderpaintError

from .. import pump
from ..capture import Source, Viewport
from ..image.request import image_request
from ..link import runtime
from ..operators.failing import refuse
from ..operators.painting import Paints
from ..ui.properties import read_settings
from . import icons
from .kinds import PANEL_CONTROLS
from .shown import look
from .taking import take

_FOLDER = "underpaint_controls"
_LARGE = 14.0


class UNDERPAINT_OT_show_controls(Paints, bpy.types.Operator):
    """Make the pictures that the model is shown of this view, without painting: one for each control"""  # noqa: E501 (Blender shows it whole)

    bl_idname = "underpaint.show_controls"
    bl_label = "Show What the Model Sees"

    def execute(self, context: Any) -> set[str]:
        live = runtime.live()
        shown = live.shown
        if shown.asking:
            return {"CANCELLED"}
        live.error = None
        try:
            live.session.start()
            if bpy.app.background:
                pump.run_until(lambda: live.session.told, self.timeout)
            _ask(context)
            pump.start()
            if bpy.app.background and self.wait:
                pump.run_until(lambda: not shown.asking, self.timeout)
        except UnderpaintError as error:
            shown.asking = False
            return refuse(self, error)
        if shown.error is not None:
            return refuse(self, shown.error)
        return {"FINISHED"}


def _ask(context: Any) -> None:
    """Capture the view as Generate does, and ask for its controls' pictures."""
    live, group, pictures = runtime.live(), context.scene.underpaint, Buffers()
    settings = read_settings(group, pictures)
    where: Source = Viewport.of_area(context.area) if group.source == "VIEWPORT" else None
    taken = take(context, settings, pictures, where, runtime.native_side(settings.model))
    request = replace(image_request(taken.settings, taken.view), only_controls=True)
    folder = Path(bpy.app.tempdir) / _FOLDER
    live.shown.begin()
    asked = partial(look, request, taken.buffers, folder)
    live.session.ask(asked, live.shown.take, live.shown.fail)


class _Large:
    """A control's picture, large; a popover for each kind."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_label = "What the Model Sees"
    bl_description = "The picture that the model is shown of this control, of the last look"
    bl_ui_units_x = 15


def popover_of(kind: str) -> str:
    """The name of a kind's popover."""
    return f"UNDERPAINT_PT_seen_{kind}"


def _popover(kind: str) -> Any:
    def draw(self: Any, _context: Any) -> None:
        if kind in runtime.live().shown.files:
            self.layout.template_icon(icons.ICONS.number(kind), scale=_LARGE)
        self.layout.operator("underpaint.show_controls", icon="FILE_REFRESH")

    name = popover_of(kind)
    return type(name, (_Large, bpy.types.Panel), {"bl_idname": name, "draw": draw})


def draw_seen(row: Any, kind: str) -> None:
    """A control's picture as an icon that opens it large, once there is one."""
    if kind in runtime.live().shown.files:
        row.popover(popover_of(kind), text="", icon_value=icons.ICONS.number(kind))


def draw_look(layout: Any) -> None:
    """The button that makes the pictures; while they are made it rests."""
    row = layout.row()
    shown = runtime.live().shown
    row.enabled = not shown.asking
    row.operator("underpaint.show_controls", icon="HIDE_OFF")


CLASSES = (
    UNDERPAINT_OT_show_controls,
    *(_popover(kind.value) for kind in PANEL_CONTROLS),
)
