"""The sidebar panel "Underpaint". Draws what the runtime knows; asks nobody, waits for nothing."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from underpaint.errors import UnderpaintError

from ..languages import say
from ..link import runtime
from ..link.connected import DaemonState
from ..link.marks import JOB_KEY
from ..viewport import live_view
from . import texture_tab
from .install_parts import draw_install
from .panel_parts import InSidebar, characters, draw_text, sentence, thumbnail
from .queue_parts import draw_queue, phase_text
from .words_parts import draw_words

_PREVIEW_SCALE = 9.0
_BOX, _FETCH = 2, 14
_MOST_LEFT = 3
_TRIED = (5, 2)
"""The newest Blender that the tests run in."""
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
        absent = live.installed is False and not live.session.reachable
        if absent or live.is_installing:
            draw_install(column, live, characters(context))
        else:
            _draw_state(column, live)
        if bpy.app.version[:2] > _TRIED:
            told = say("Not tried in Blender {version} yet", version=bpy.app.version_string)
            draw_text(column, told, characters(context), "INFO", translate=False)
        _draw_left(column, live, characters(context))
        row = column.row()
        row.scale_y = 1.2
        row.prop(settings, "mode", expand=True)
        if settings.mode == "IMAGE":
            _draw_image_tab(column, settings, context)
        else:
            texture_tab.draw(column, context)
        room = characters(context)
        draw_queue(column, live, room)
        if live.error is not None:
            box = _draw_error(self.layout, live.error, room)
            box.operator("underpaint.dismiss_error")
        elif live.session.trouble is not None:
            _draw_error(self.layout, live.session.trouble, room)


class UNDERPAINT_PT_last(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_last"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Last Painting"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return super().poll(context) and _last_image() is not None

    def draw(self, context: Any) -> None:
        image = _last_image()
        if image is None:
            return
        column = self.layout.column()
        if image.preview is not None:
            column.template_icon(image.preview.icon_id, scale=_PREVIEW_SCALE)
        draw_text(column, image.name, characters(context), most=2, translate=False)
        _draw_result_buttons(column, image.name)


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
            layout.label(text=say("{name} (deleted)", name=item.name), icon="IMAGE_DATA")
            return
        layout.label(text=image.name, icon_value=thumbnail(layout, image), translate=False)


class UNDERPAINT_PT_gallery(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_gallery"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "In This Scene"
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
    UNDERPAINT_PT_last,
    UNDERPAINT_PT_gallery,
)


def _draw_state(layout: Any, live: runtime.Runtime) -> None:
    state = live.session.state
    text, icon = _STATES[state]
    row = layout.row()
    left = live.session.starting.left_s if state is DaemonState.STARTING else None
    if left is not None:
        told = f"{say(text)} {say('{count} s left', count=left)}"
        row.progress(text=told, factor=live.session.starting.part, type="BAR", translate=False)
        return
    row.label(text=text, icon=icon)
    if state in _FIXES:
        row.operator("underpaint.start_daemon", text=_FIXES[state], icon="PLAY")


def _draw_image_tab(column: Any, settings: Any, context: Any) -> None:
    draw_words(column, settings, "What to paint")
    row = column.row()
    row.prop(settings, "source", expand=True)
    row = column.row(align=True)
    row.scale_y = 1.6
    row.operator("underpaint.generate", icon="BRUSH_DATA")
    state = live_view.now() if live_view.is_here(context.area) else None
    row.operator("underpaint.live", icon="VIEW_CAMERA", depress=state is not None)
    if state is not None:
        _draw_live(column, settings, state, characters(context))


def _draw_live(column: Any, settings: Any, state: live_view.Live, room: int) -> None:
    """How the live picture lies over the viewport."""
    rows = column.column(align=True)
    rows.prop(settings, "live_opacity", slider=True)
    rows.prop(settings, "live_wipe", slider=True)
    if state.lacks is not None:
        draw_text(column, sentence(state.lacks.message), room, "INFO", translate=False)
    else:
        column.label(text=_live_told(state), icon="TIME", translate=False)


def _live_told(state: live_view.Live) -> str:
    """How quick it is; before the first picture, and after a rest, what is done for the next."""
    if state.rests:
        return say("Finished")
    if state.per_second:
        return say("{rate} pictures a second", rate=f"{state.per_second:.1f}")
    return phase_text(state.newest) if state.newest is not None else say("Waiting")


def _draw_left(layout: Any, live: runtime.Runtime, room: int) -> None:
    left = live.session.left[:_MOST_LEFT]
    if left:
        layout.label(text="Painted while Blender was closed:", icon="RECOVER_LAST")
    for note in left:
        row = layout.row(align=True)
        row.label(text=textwrap.shorten(note.title, room - _FETCH, placeholder="…"))
        row.operator("underpaint.fetch_left", icon="IMPORT").job = note.job
        row.operator("underpaint.drop_left", text="", icon="X").job = note.job


def _draw_error(layout: Any, error: UnderpaintError, room: int) -> Any:
    box = layout.box()
    draw_text(box, sentence(error.message), room - _BOX, "ERROR", most=12)
    draw_text(box, error.panel_hint, room - _BOX, "INFO", most=12)
    return box


def _last_image() -> Any:
    """The last painting, if it is in this file."""
    name = runtime.live().last_image
    image = bpy.data.images.get(name) if name else None
    return image if image is not None and JOB_KEY in image else None


def _draw_result_buttons(layout: Any, image: str) -> None:
    column = layout.column(align=True)
    column.operator("underpaint.show_large", icon="FULLSCREEN_ENTER").image = image
    column.operator("underpaint.use_settings", icon="LOOP_BACK").image = image
    column.operator("underpaint.set_background", icon="CAMERA_DATA").image = image
