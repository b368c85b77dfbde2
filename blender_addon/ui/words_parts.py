"""The words of both tabs: prompt, negative, and the menus beside them. No bpy."""

from __future__ import annotations

from typing import Any

from .model_defaults import file_in_parts


def draw_words(column: Any, settings: Any, what: str) -> None:
    """The two fields. `what`: the words that an empty prompt shows."""
    row = column.row(align=True)
    row.prop(settings, "prompt", text="", placeholder=what)
    row.popover("UNDERPAINT_PT_weights", text="", icon="MODIFIER")
    row.popover("UNDERPAINT_PT_styles", text="", icon="PRESET")
    row.menu("UNDERPAINT_MT_prompts", text="", icon="TIME")
    draw_negative(column, settings)


def draw_negative(column: Any, settings: Any) -> None:
    """What the picture is not to show."""
    row = column.row(align=True)
    row.prop(settings, "negative", text="", placeholder="What to keep away from")
    row.menu("UNDERPAINT_MT_negatives", text="", icon="PRESET")


def draw_writing(column: Any, settings: Any) -> None:
    """Prompt and negative in the Text Editor: the way there, and the two ways back."""
    for field, what in (("prompt", "Prompt"), ("negative", "Keep Away From")):
        row = column.row(align=True)
        row.label(text=what)
        button = row.operator("underpaint.write", icon="TEXT")
        button.field = field
        if getattr(settings, f"{field}_text") is not None:
            for icon, keep in (("UNLINKED", True), ("TRASH", False)):
                button = row.operator("underpaint.write_end", text="", icon=icon)
                button.field, button.keep = field, keep


def draw_model(layout: Any, settings: Any) -> None:
    """The model's field, with the list beside it."""
    row = layout.row(align=True)
    row.prop(settings, "model")
    row.popover("UNDERPAINT_PT_models", text="", icon="COLLAPSEMENU")
    file = file_in_parts(settings)
    if file:
        layout.operator("underpaint.model_base", icon="FILE_FOLDER").file = file
