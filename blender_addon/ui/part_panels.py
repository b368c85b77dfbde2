"""The sub-panels for what not every model can do: reference pictures, parts of the picture, and a
second model that finishes it."""

from __future__ import annotations

from typing import Any

import bpy

from ..link import runtime
from ..parts.drawing import draw_adding, draw_loras
from ..parts.own import can_wear
from .model_defaults import can, offered
from .painting_properties import shown_settings
from .panel_parts import InSidebar, in_property_rows, thumbnail


class UNDERPAINT_UL_references(bpy.types.UIList):
    bl_idname = "UNDERPAINT_UL_references"

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
        row = layout.row(align=True)
        row.prop(item, "enabled", text="")
        row.active = item.enabled
        if item.image is None:
            row.label(text="(no picture)", icon="ERROR")
        else:
            icon = thumbnail(layout, item.image)
            row.label(text=item.image.name, icon_value=icon, translate=False)
        row.prop(item, "role", text="", emboss=False)


class UNDERPAINT_PT_reference(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_reference"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "References"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)

    @classmethod
    def poll(cls, context: Any) -> bool:
        settings = shown_settings(context.scene)
        return super().poll(context) and offered(settings, "references", "references")

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, shown_settings(context.scene)
        row = layout.row()
        row.template_list(
            "UNDERPAINT_UL_references",
            *("", settings, "references", settings, "active_reference"),
            rows=2,
        )
        column = row.column(align=True)
        column.operator("underpaint.reference_add", text="", icon="ADD")
        column.operator("underpaint.reference_remove", text="", icon="REMOVE")
        if not 0 <= settings.active_reference < len(settings.references):
            return
        item = settings.references[settings.active_reference]
        layout.template_ID(item, "image", open="image.open")
        layout.prop(item, "role")
        layout.prop(item, "scale", slider=True)
        _draw_attention(layout, settings, item)
        if item.model or offered(settings, "ip_adapter", "references"):
            layout.prop(item, "model", text="", placeholder="The model's own IP-Adapter")


def _draw_attention(layout: Any, settings: Any, item: Any) -> None:
    """What only models that take pictures in bit by bit are told."""
    record = runtime.record_of(settings.model)
    by_itself = can(record, "attention")
    if by_itself or can(record, "ip_adapter"):
        row = layout.row(align=True)
        row.prop(item, "start", slider=True)
        row.prop(item, "end", slider=True)
    if by_itself:
        layout.prop(item, "fidelity", slider=True)


class UNDERPAINT_UL_regions(bpy.types.UIList):
    bl_idname = "UNDERPAINT_UL_regions"

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
        row = layout.row(align=True)
        row.prop(item, "enabled", text="")
        row.active = item.enabled
        row.prop(item, "prompt", text="", emboss=False, placeholder="What is here")
        if item.mask is None:
            row.label(text="", icon="ERROR")


class UNDERPAINT_PT_parts(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_parts"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Parts of the Picture"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)

    @classmethod
    def poll(cls, context: Any) -> bool:
        settings = context.scene.underpaint
        return super().poll(context) and offered(settings, "regions", "regions")

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.underpaint
        row = layout.row()
        row.template_list(
            "UNDERPAINT_UL_regions", "", settings, "regions", settings, "active_region", rows=2
        )
        column = row.column(align=True)
        column.operator("underpaint.region_add", text="", icon="ADD")
        column.operator("underpaint.region_remove", text="", icon="REMOVE")
        if 0 <= settings.active_region < len(settings.regions):
            region = settings.regions[settings.active_region]
            row = layout.row(align=True)
            row.prop(region, "prompt", text="", placeholder="What is here")
            draw_adding(row, "")
            column = layout.column(align=True)
            draw_loras(column, region.loras, "", active=region.enabled and can_wear(context.scene))
            layout.template_ID(region, "mask", new="image.new", open="image.open")
            layout.prop(region, "weight", slider=True)


class UNDERPAINT_PT_refiner(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_refiner"
    mode = "IMAGE"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Second Model"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)

    def draw(self, context: Any) -> None:
        layout, settings = in_property_rows(self.layout), context.scene.underpaint
        layout.prop(settings, "refiner", placeholder="None")
        row = layout.row()
        row.active = bool(settings.refiner)
        row.enabled = not settings.refiner_hands_over
        row.prop(settings, "refiner_strength", slider=True)
        row = layout.row()
        row.active = bool(settings.refiner)
        row.prop(settings, "refiner_hands_over")
        if settings.refiner_hands_over:
            layout.prop(settings, "refiner_handoff", slider=True)


CLASSES = (
    UNDERPAINT_UL_references,
    UNDERPAINT_PT_reference,
    UNDERPAINT_UL_regions,
    UNDERPAINT_PT_parts,
    UNDERPAINT_PT_refiner,
)
