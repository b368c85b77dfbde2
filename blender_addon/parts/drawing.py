"""The LoRAs of an object or a part, below its row."""

from __future__ import annotations

from typing import Any

import bpy

from ..ui.panel_parts import in_property_rows

ICON = "SHADERFX"


def draw_adding(row: Any, owner: str, *, editable: bool = True) -> None:
    """The button that gives a LoRA to an object by its full name; to the chosen part, if empty."""
    button = row.row(align=True)
    button.enabled = editable
    button.operator("underpaint.part_lora_add", text="", icon=ICON).owner = owner


def draw_loras(column: Any, items: Any, owner: str, *, active: bool = True) -> None:
    """A line for each: on or off, its name, how much it weighs, and the way off the list."""
    for index, item in enumerate(items):
        row = column.row(align=True)
        row.active = active
        row.separator(factor=2)
        row.prop(item, "enabled", text="")
        name = row.row()
        name.active = item.enabled
        shown = bpy.path.display_name_from_filepath(item.path) or item.path
        name.label(text=shown or "(no file)", translate=False)
        weight = row.row()
        weight.ui_units_x = 3
        weight.prop(item, "weight", text="")
        button = row.operator("underpaint.part_lora_remove", text="", icon="X")
        button.owner, button.index = owner, index
        if item.curve:
            in_property_rows(column.column()).prop(item, "curve", placeholder="Even")
