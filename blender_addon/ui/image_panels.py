"""The Image tab's sub-panels: picture, what it follows, and how it is painted."""

from __future__ import annotations

from typing import Any

import bpy

from ..capture.geometry import SURFACES
from ..languages import say
from ..link import runtime
from ..parts.drawing import draw_adding, draw_loras
from ..parts.own import can_wear
from .model_defaults import can
from .panel_parts import (
    InSidebar,
    characters,
    draw_lock,
    draw_own,
    draw_sampling,
    draw_text,
    in_full_rows,
    in_property_rows,
)
from .words_parts import draw_model

_MOST_NAMES = 8


class UNDERPAINT_PT_image(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_image"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Image"

    def draw(self, context: Any) -> None:
        layout, settings = in_property_rows(self.layout), context.scene.underpaint
        draw_model(layout, settings)
        column = layout.column(align=True)
        draw_own(column, settings, "width")
        draw_own(column, settings, "height")
        in_full_rows(layout).prop(settings, "repaint")
        row = layout.row()
        row.active = settings.repaint
        row.prop(settings, "strength")
        column = in_full_rows(layout)
        column.prop(settings, "to_background")
        column.prop(settings, "show_preview")


class UNDERPAINT_PT_objects(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_objects"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Objects"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)

    def draw(self, context: Any) -> None:
        settings = context.scene.underpaint
        self.layout.prop(settings, "object_prompts")
        column = self.layout.column(align=True)
        chosen, record = _with_words(context), runtime.record_of(settings.model)
        wears = can_wear(context.scene)
        for item in chosen[:_MOST_NAMES]:
            row = column.row(align=True)
            words = row.split(factor=0.35)
            acting = settings.object_prompts and not item.underpaint_leave
            words.active = acting
            words.label(text=item.name, icon="OBJECT_DATA", translate=False)
            words.prop(item, "underpaint_prompt", text="", placeholder="As above")
            draw_adding(row, item.name_full, editable=item.library is None)
            if can(record, "mask") or item.underpaint_leave:
                draw_lock(row, item)
            draw_loras(column, item.underpaint_loras, item.name_full, active=acting and wears)
        if len(chosen) > _MOST_NAMES:
            told = say("and {count} more", count=len(chosen) - _MOST_NAMES)
            column.label(text=told, translate=False)
        if not settings.object_prompts and any(map(_worded, chosen)):
            told = "Their words count only with Their Own Prompts ticked"
            draw_text(self.layout, told, characters(context), "INFO")
        if not chosen:
            column.label(text="Select objects to give them words", icon="RESTRICT_SELECT_OFF")


class UNDERPAINT_PT_sampling(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_sampling"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Steps and Seed"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)

    def draw(self, context: Any) -> None:
        draw_sampling(in_property_rows(self.layout), context.scene.underpaint)


CLASSES = (
    UNDERPAINT_PT_image,
    UNDERPAINT_PT_objects,
    UNDERPAINT_PT_sampling,
)


def _with_words(context: Any) -> list[Any]:
    """The selected objects, and then those that have words or LoRAs already, or are left alone."""
    chosen = [item for item in context.selected_objects if item.type in SURFACES]
    every = context.scene.objects
    worded = [item for item in every if _worded(item) or item.underpaint_leave]
    return chosen + [item for item in worded if item not in chosen]


def _worded(item: Any) -> bool:
    """Whether an object has words or LoRAs of its own."""
    return bool(item.underpaint_prompt or item.underpaint_loras)
