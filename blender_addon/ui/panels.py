"""The sidebar panel "Underpaint". Draws what the runtime knows; asks nobody, waits for nothing."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from underpaint.errors import UnderpaintError

from ..image.request import PANEL_CONTROLS
from ..link import runtime
from ..link.marks import JOB_KEY
from ..link.session import DaemonState, Task
from . import texture_tab
from .panel_parts import InSidebar, draw_sampling, in_property_rows, thumbnail

_PREVIEW_SCALE = 9.0
_CHARACTER_PX = 7
_MOST_LEFT = 3
_STATES = {
    DaemonState.ABSENT: ("Daemon not running", "UNLINKED"),
    DaemonState.STARTING: ("Daemon is starting …", "TIME"),
    DaemonState.READY: ("Ready", "CHECKMARK"),
    DaemonState.BUSY: ("Painting", "BRUSH_DATA"),
    DaemonState.LOST: ("Daemon lost; accepted work is kept", "ERROR"),
}
_FIXES = {DaemonState.ABSENT: "Start", DaemonState.LOST: "Start Again"}


class UNDERPAINT_PT_main(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_main"
    bl_label = "Underpaint"

    def draw(self, context: Any) -> None:
        live, settings = runtime.live(), context.scene.underpaint
        column = self.layout.column()
        _draw_state(column, live)
        _draw_left(column, live)
        row = column.row()
        row.scale_y = 1.2
        row.prop(settings, "mode", expand=True)
        if settings.mode == "IMAGE":
            _draw_image_tab(column, live, settings)
        else:
            texture_tab.draw(column, context, busy=live.current is not None)
        if live.current is not None:
            _draw_progress(column, live.current)
        if live.error is not None:
            box = _draw_error(self.layout, live.error, context.region.width)
            box.operator("underpaint.dismiss_error")
        elif live.session.trouble is not None:
            _draw_error(self.layout, live.session.trouble, context.region.width)
        if settings.mode == "IMAGE":
            _draw_last_image(self.layout, live)


class UNDERPAINT_PT_image(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_image"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Image"

    def draw(self, context: Any) -> None:
        layout, settings = in_property_rows(self.layout), context.scene.underpaint
        layout.prop(settings, "model")
        column = layout.column(align=True)
        column.prop(settings, "width")
        column.prop(settings, "height")
        draw_sampling(layout, settings)
        column = layout.column(align=True)
        column.prop(settings, "repaint")
        row = column.row()
        row.active = settings.repaint
        row.prop(settings, "strength")
        column = layout.column(align=True)
        column.prop(settings, "to_background")
        column.prop(settings, "show_preview")


class UNDERPAINT_PT_controls(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_controls"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Follow the Scene"

    def draw(self, context: Any) -> None:
        settings = context.scene.underpaint
        for kind in PANEL_CONTROLS:
            column = self.layout.column(align=True)
            row = column.row(align=True)
            row.prop(settings, f"{kind.value}_enabled")
            if getattr(settings, f"{kind.value}_enabled"):
                row.prop(settings, f"{kind.value}_scale")
                row = column.row(align=True)
                row.prop(settings, f"{kind.value}_start")
                row.prop(settings, f"{kind.value}_end")


class UNDERPAINT_UL_results(bpy.types.UIList):
    bl_idname = "UNDERPAINT_UL_results"

    def draw_item(
        self,
        _context: Any,
        layout: Any,
        _data: Any,
        item: Any,
        _icon: int,
        _active_data: Any,
        _active_property: str,
    ) -> None:
        image = item.image
        if image is None:
            layout.label(text=f"{item.name} (deleted)", icon="IMAGE_DATA")
            return
        layout.label(text=image.name, icon_value=thumbnail(layout, image))


class UNDERPAINT_PT_gallery(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_gallery"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Gallery"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.underpaint
        layout.template_list(
            "UNDERPAINT_UL_results", "", settings, "results", settings, "active_result", rows=4
        )
        if 0 <= settings.active_result < len(settings.results):
            image = settings.results[settings.active_result].image
            if image is not None:
                _draw_result_buttons(layout, image.name)


CLASSES = (
    UNDERPAINT_UL_results,
    UNDERPAINT_PT_main,
    UNDERPAINT_PT_image,
    UNDERPAINT_PT_controls,
    UNDERPAINT_PT_gallery,
)


def _draw_state(layout: Any, live: runtime.Runtime) -> None:
    state = live.session.state
    text, icon = _STATES[state]
    row = layout.row()
    row.label(text=text, icon=icon)
    if state in _FIXES:
        row.operator("underpaint.start_daemon", text=_FIXES[state], icon="PLAY")


def _draw_image_tab(column: Any, live: runtime.Runtime, settings: Any) -> None:
    column.prop(settings, "prompt", text="", placeholder="What to paint")
    column.prop(settings, "negative", text="", placeholder="What to keep away from")
    row = column.row()
    row.prop(settings, "source", expand=True)
    if live.current is None:
        row = column.row()
        row.scale_y = 1.6
        row.operator("underpaint.generate", icon="BRUSH_DATA")


def _draw_progress(layout: Any, task: Task) -> None:
    row = layout.row(align=True)
    row.scale_y = 1.6
    row.progress(text=progress_text(task), factor=task.fraction, type="BAR")
    row.operator("underpaint.cancel", text="", icon="X")
    for warning in task.warnings[-1:]:
        layout.label(text=warning, icon="INFO")


def _draw_left(layout: Any, live: runtime.Runtime) -> None:
    for note in live.session.left[:_MOST_LEFT]:
        row = layout.row(align=True)
        row.label(text=f"From before: {note.title}", icon="RECOVER_LAST")
        row.operator("underpaint.fetch_left", icon="IMPORT").job = note.job
        row.operator("underpaint.drop_left", text="", icon="X").job = note.job


def progress_text(task: Task) -> str:
    """E.g. `denoising 3/8, 4 s left`."""
    steps = f" {task.step}/{task.total}" if task.total else ""
    eta = f", {task.eta_s:.0f} s left" if task.eta_s is not None else ""
    return f"{task.phase}{steps}{eta}"


def _draw_error(layout: Any, error: UnderpaintError, width: int) -> Any:
    box = layout.box()
    characters = max(20, width // _CHARACTER_PX)
    for index, line in enumerate(textwrap.wrap(error.message, characters)):
        box.label(text=line, icon="ERROR" if index == 0 else "BLANK1")
    for index, line in enumerate(textwrap.wrap(error.hint, characters)):
        box.label(text=line, icon="INFO" if index == 0 else "BLANK1")
    return box


def _draw_last_image(layout: Any, live: runtime.Runtime) -> None:
    image = bpy.data.images.get(live.last_image) if live.last_image else None
    if image is None or JOB_KEY not in image:
        return
    box = layout.box()
    if image.preview is not None:
        box.template_icon(image.preview.icon_id, scale=_PREVIEW_SCALE)
    box.label(text=image.name)
    _draw_result_buttons(box, image.name)


def _draw_result_buttons(layout: Any, image: str) -> None:
    column = layout.column(align=True)
    column.operator("underpaint.use_settings", icon="LOOP_BACK").image = image
    column.operator("underpaint.set_background", icon="CAMERA_DATA").image = image
