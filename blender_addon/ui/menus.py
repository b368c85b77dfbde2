"""The menus beside the prompt, its phrases' weights, the models, and the pie menu."""

from __future__ import annotations

from typing import Any

import bpy

from .. import own_files
from ..gallery import samples
from ..languages import say
from ..link import runtime
from ..plain import history
from ..plain.prompt_words import STEP, is_data, phrases
from ..plain.styles import negatives, styles
from .model_defaults import can
from .painting_properties import shown_settings
from .panel_parts import InSidebar, draw_text, in_property_rows
from .words_parts import draw_writing

_MOST_PROMPTS = 20
_SHOWN, _LETTERS = 60, 64
_SAMPLE = 3.5
_SIGN, _STYLES_A_ROW = 3.4, 5
_WORDS_PART = 0.78


class UNDERPAINT_MT_styles(bpy.types.Menu):
    bl_idname = "UNDERPAINT_MT_styles"
    bl_label = "Styles"
    bl_description = "Put a style around the prompt: medium, light and manner in tried words"

    def draw(self, _context: Any) -> None:
        flow = self.layout.column_flow(columns=2)
        for style in styles(own_files.styles_folder()):
            icon = samples.style_icon(style.name)
            flow.operator("underpaint.style", text=style.name, icon_value=icon).name = style.name


class UNDERPAINT_PT_styles(bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_styles"
    bl_label = "Styles"
    bl_description = "Put a style around the prompt: medium, light and manner in tried words"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_ui_units_x = 28

    def draw(self, _context: Any) -> None:
        self.layout.label(text="Drawn signs, until you have painted in a style", icon="INFO")
        grid = self.layout.grid_flow(columns=_STYLES_A_ROW, even_columns=True, row_major=True)
        for style in styles(own_files.styles_folder()):
            box, icon = grid.column(align=True), samples.style_icon(style.name)
            if icon:
                box.template_icon(icon_value=icon, scale=_SIGN)
            box.operator("underpaint.style", text=style.name).name = style.name


class UNDERPAINT_MT_negatives(bpy.types.Menu):
    bl_idname = "UNDERPAINT_MT_negatives"
    bl_label = "Keep Away From"
    bl_description = "Add a set of words for what the picture should not show"

    def draw(self, _context: Any) -> None:
        for style in negatives():
            self.layout.operator("underpaint.style", text=style.name).name = style.name


class UNDERPAINT_MT_prompts(bpy.types.Menu):
    bl_idname = "UNDERPAINT_MT_prompts"
    bl_label = "Earlier Prompts"
    bl_description = "Take a prompt that was painted before"

    def draw(self, _context: Any) -> None:
        found = history.prompts(own_files.prompts_file())[:_MOST_PROMPTS]
        if not found:
            self.layout.label(text="What you paint is kept here")
        for index, text in enumerate(found):
            line = " ".join(text.split())
            short = line if len(line) <= _SHOWN else f"{line[:_SHOWN]} …"
            self.layout.operator("underpaint.use_prompt", text=short).index = index


class UNDERPAINT_PT_weights(bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_weights"
    bl_label = "Prompt"
    bl_description = "The whole prompt, and how much each of its phrases counts"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_ui_units_x = 24

    def draw(self, context: Any) -> None:
        column, group = self.layout.column(align=True), shown_settings(context.scene)
        column.prop(group, "prompt", text="")
        draw_text(column, group.prompt, _LETTERS, translate=False)
        draw_writing(column, group)
        column.separator()
        column.label(text="What counts more, what less")
        found = phrases(group.prompt)
        for index, phrase in enumerate(found):
            row = column.split(factor=_WORDS_PART, align=True)
            row.label(text=phrase.text, translate=False)
            steps = row.row(align=True)
            _step(steps, "REMOVE", index, -STEP)
            steps.label(text=f"{phrase.weight:g}")
            _step(steps, "ADD", index, STEP)
        if is_data(group.prompt):
            column.label(text="JSON is read to the letter", icon="INFO")
        elif not found:
            column.label(text="Write a prompt first", icon="INFO")


class UNDERPAINT_PT_models(bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_models"
    bl_label = "Models"
    bl_description = (
        "The models of this computer: what each can follow, and what it paints best with"
    )
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_ui_units_x = 16

    def draw(self, context: Any) -> None:
        records = runtime.live().session.model_records
        if not records:
            self.layout.label(text="Known once the daemon runs", icon="INFO")
        chosen = shown_settings(context.scene).model
        for record in records:
            _draw_model(self.layout.box(), record, chosen == record.name)


class UNDERPAINT_UL_loras(bpy.types.UIList):
    bl_idname = "UNDERPAINT_UL_loras"

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
        name = bpy.path.display_name_from_filepath(item.path) or item.path
        row.label(text=name or "(no file)")
        row.prop(item, "weight", text="")


class UNDERPAINT_PT_loras(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_loras"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "LoRAs"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)

    def draw(self, context: Any) -> None:
        layout, group = self.layout, shown_settings(context.scene)
        row = layout.row()
        row.template_list("UNDERPAINT_UL_loras", "", group, "loras", group, "active_lora", rows=2)
        column = row.column(align=True)
        column.operator("underpaint.lora_add", text="", icon="ADD")
        column.operator("underpaint.lora_remove", text="", icon="REMOVE")
        used = {item.path for item in group.loras}
        for name in _own_loras(group.model):
            if name not in used:
                layout.operator("underpaint.lora_add", text=name, icon="ADD").name = name
        if 0 <= group.active_lora < len(group.loras):
            lora = group.loras[group.active_lora]
            layout.prop(lora, "path", text="")
            if can(runtime.record_of(group.model), "curves") or lora.curve:
                in_property_rows(layout.column()).prop(lora, "curve", placeholder="Even")


class UNDERPAINT_MT_pie(bpy.types.Menu):
    bl_idname = "UNDERPAINT_MT_pie"
    bl_label = "Underpaint"
    bl_description = "What is at hand while painting, about the pointer"

    def draw(self, _context: Any) -> None:
        pie = self.layout.menu_pie()
        pie.operator("underpaint.generate", text="Paint the View", icon="BRUSH_DATA")
        pie.operator("underpaint.texture", icon="TEXTURE")
        pie.operator("underpaint.live", icon="VIEW_CAMERA")
        pie.operator("underpaint.cancel", text="Cancel All", icon="X")
        pie.menu("UNDERPAINT_MT_styles", icon="PRESET")
        pie.menu("UNDERPAINT_MT_prompts", icon="TIME")
        pie.operator("underpaint.mask_paint", icon="BRUSH_DATA")
        pie.operator("underpaint.repaint", icon="TPAINT_HLT")


CLASSES = (
    UNDERPAINT_MT_styles,
    UNDERPAINT_PT_styles,
    UNDERPAINT_MT_negatives,
    UNDERPAINT_MT_prompts,
    UNDERPAINT_PT_weights,
    UNDERPAINT_PT_models,
    UNDERPAINT_UL_loras,
    UNDERPAINT_MT_pie,
)
"""Registered before the panels."""


def _step(row: Any, icon: str, index: int, by: float) -> None:
    button = row.operator("underpaint.weigh", text="", icon=icon)
    button.index, button.by = index, by


def _own_loras(model: str) -> tuple[str, ...]:
    records = runtime.live().session.model_records
    return next((record.loras for record in records if record.name == model), ())


def _draw_model(box: Any, record: Any, chosen: bool) -> None:
    """One model: its name, what it is, what it can follow, and the button."""
    row = box.row()
    row.label(text=record.title or record.name, icon="CHECKMARK" if chosen else "NODE_MATERIAL")
    use = row.row()
    use.alignment = "RIGHT"
    use.enabled = record.ready and not chosen
    use.operator("underpaint.choose_model").name = record.name
    icon = samples.model_icon(record.name)
    if icon:
        row = box.split(factor=0.3)
        row.template_icon(icon_value=icon, scale=_SAMPLE)
        box = row
    column = box.column(align=True)
    column.scale_y = 0.8
    column.label(text=f"{record.family}, {record.native_size} px")
    if record.controls:
        controls = ", ".join(say(control.title()) for control in record.controls)
        column.label(text=say("follows: {controls}", controls=controls), translate=False)
    if record.note:
        column.label(text=record.note, icon="INFO")
