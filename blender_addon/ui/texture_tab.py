"""The top of the Texture tab: what to paint, on what, and the button. No bpy."""

from __future__ import annotations

from typing import Any

from ..coverage import panel as coverage
from ..languages import say
from ..parts.drawing import draw_adding, draw_loras
from ..parts.own import can_wear
from ..texture.scene_surfaces import paintable, without_uv
from .panel_parts import characters, draw_lock, draw_text
from .words_parts import draw_words

_MOST_NAMES = 6


def draw(column: Any, context: Any) -> None:
    """Draw it."""
    settings = context.scene.underpaint_texture
    draw_words(column, settings, "How it is to look")
    row = column.row()
    row.prop(settings, "views", expand=True)
    objects = paintable(context)
    if objects:
        coverage.draw(column, context)
    bare = without_uv(objects)
    _draw_objects(column, objects, characters(context), wears=can_wear(context.scene))
    if bare:
        _draw_unwrap(column, bare)
    row = column.row()
    row.scale_y = 1.6
    row.enabled = bool(objects) and not bare
    row.operator("underpaint.texture", icon="TEXTURE")


def _draw_objects(column: Any, objects: list[Any], room: int, *, wears: bool) -> None:
    if not objects:
        text = "Select the objects to paint"
        draw_text(column, text, room, "RESTRICT_SELECT_OFF")
        return
    if len(objects) == 1:
        row = column.row(align=True)
        row.label(text=objects[0].name, icon="OBJECT_DATA", translate=False)
        draw_lock(row, objects[0])
        return
    box = column.box().column(align=True)
    for item in objects[:_MOST_NAMES]:
        row = box.row(align=True)
        words = row.split(factor=0.35)
        words.active = not item.underpaint_leave
        words.label(text=item.name, icon="OBJECT_DATA", translate=False)
        words.prop(item, "underpaint_prompt", text="", placeholder="As above")
        draw_adding(row, item.name_full, editable=item.library is None)
        draw_lock(row, item)
        draw_loras(
            box, item.underpaint_loras, item.name_full, active=wears and not item.underpaint_leave
        )
    if len(objects) > _MOST_NAMES:
        told = say("and {count} more", count=len(objects) - _MOST_NAMES)
        box.label(text=told, translate=False)


def _draw_unwrap(column: Any, bare: list[Any]) -> None:
    box = column.box()
    box.label(text=say("{name} has no UV map", name=bare[0].name), icon="ERROR")
    box.operator("underpaint.unwrap", icon="UV")
