"""The gallery in the sidebars of the 3D viewport and of the Image Editor."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Any

import bpy

from underpaint.wire.messages import PictureInfo

from ..languages import say
from ..link import runtime
from ..ui.panel_parts import InSidebar, characters, draw_text
from . import thumbnails
from .looking import Looking

_CELL = 14
_SCALE = 4.0


class Gallery:
    """What both panels draw."""

    bl_label = "Gallery"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)

    def draw(self, context: Any) -> None:
        looking, room = runtime.live().gallery, characters(context)
        looking.seen = True
        layout: Any = self.layout  # type: ignore[attr-defined]
        _draw_search(layout, context.window_manager.underpaint_gallery)
        if not looking.pictures:
            draw_text(layout, _why_empty(looking), room, "INFO")
            return
        _draw_pictures(layout, looking, max(2, room // _CELL))
        if looking.earlier or looking.more:
            _draw_pages(layout, looking)
        if looking.chosen is not None:
            group = context.window_manager.underpaint_gallery
            _draw_chosen(layout.box(), looking, looking.chosen, room, group)


class UNDERPAINT_PT_everything(Gallery, InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_everything"
    bl_parent_id = "UNDERPAINT_PT_main"


class UNDERPAINT_PT_everything_image(Gallery, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_everything_image"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Underpaint"


def _draw_search(layout: Any, group: Any) -> None:
    column = layout.column(align=True)
    row = column.row(align=True)
    row.prop(group, "words", text="", icon="VIEWZOOM", placeholder="Search by words")
    row.prop(group, "pinned", text="", icon="PINNED" if group.pinned else "UNPINNED")
    column.prop(group, "model", text="", placeholder="Every model")
    column.prop(group, "origin", text="", placeholder="Every scene")


def _why_empty(looking: Looking) -> str:
    if looking.error is not None:
        return looking.error.message
    if not looking.session.reachable:
        return "Shown once the daemon runs"
    return "Nothing is found" if looking.wanted.words else "What you paint is shown here"


def _draw_pictures(layout: Any, looking: Looking, columns: int) -> None:
    grid = layout.grid_flow(row_major=True, columns=columns, even_columns=True, align=True)
    for picture in looking.pictures:
        cell = grid.column(align=True)
        icon = thumbnails.ICONS.number(picture.job)
        if icon:
            cell.template_icon(icon_value=icon, scale=_SCALE)
        else:
            blank = cell.column()
            blank.scale_y = _SCALE
            blank.label(text="", icon="IMAGE_DATA")
        title = textwrap.shorten(picture.title or picture.kind, _CELL - 2, placeholder="…")
        is_chosen = looking.chosen is not None and looking.chosen.job == picture.job
        pin = "PINNED" if picture.pinned else "NONE"
        words = {"text": title or "…", "icon": pin, "depress": is_chosen}
        cell.operator("underpaint.gallery_choose", **words).job = picture.job


def _draw_pages(layout: Any, looking: Looking) -> None:
    row = layout.row(align=True)
    newer, page, older = row.row(align=True), row.row(), row.row(align=True)
    newer.enabled, older.enabled = bool(looking.earlier), looking.more
    page.alignment = "CENTER"
    page.label(text=f"{say('Page')} {len(looking.earlier) + 1}")
    newer.operator("underpaint.gallery_turn", text="Newer", icon="TRIA_LEFT").by = -1
    older.operator("underpaint.gallery_turn", text="Older", icon="TRIA_RIGHT").by = 1


def _draw_chosen(
    layout: Any, looking: Looking, picture: PictureInfo, room: int, group: Any
) -> None:
    request = looking.request
    text = picture.title if request is None else request.prompt.text
    draw_text(layout, text or say("no words"), room - 3, most=4, translate=False)
    when = datetime.fromtimestamp(picture.created).astimezone()
    draw_text(layout, f"{picture.model}, {picture.origin} · {when:%Y-%m-%d %H:%M}", room - 3)
    buttons = layout.column(align=True)
    buttons.enabled = request is not None
    for name, icon in (
        ("gallery_open", "IMAGE_DATA"),
        ("gallery_compare", "ARROW_LEFTRIGHT"),
        ("gallery_use", "LOOP_BACK"),
        ("gallery_view", "HIDE_OFF"),
    ):
        buttons.operator(f"underpaint.{name}", icon=icon).job = picture.job
    vary = buttons.operator("underpaint.gallery_vary", icon="DUPLICATE")
    vary.job, vary.strength = picture.job, group.far
    buttons.prop(group, "far", slider=True)
    row = layout.row(align=True)
    text, icon = ("Unpin", "PINNED") if picture.pinned else ("Pin", "UNPINNED")
    row.operator("underpaint.gallery_pin", text=text, icon=icon).job = picture.job
    row.operator("underpaint.gallery_folder", icon="FILE_FOLDER").job = picture.job
    row.operator("underpaint.gallery_delete", text="", icon="TRASH").job = picture.job


CLASSES = (UNDERPAINT_PT_everything, UNDERPAINT_PT_everything_image)
