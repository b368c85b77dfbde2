"""The Image Editor's sidebar: mark and repaint, compare, send."""

from __future__ import annotations

from typing import Any

import bpy

from ..languages import say
from ..link import runtime
from ..ui.panel_parts import characters, draw_text, sentence
from ..ui.queue_parts import draw_queue
from ..ui.words_parts import draw_negative
from . import marks
from .outpainting import draw_sides
from .own_words import words_to_begin_with

_BIG = 1.4


class UNDERPAINT_PT_edit_image(bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_edit_image"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Underpaint"
    bl_label = "Repaint"

    def draw(self, context: Any) -> None:
        layout, live, room = self.layout, runtime.live(), characters(context)
        image = context.space_data.image
        if image is None or not all(image.size):
            draw_text(layout, "Open a picture to repaint parts of it", room, "IMAGE_DATA")
            return
        column, settings = layout.column(), context.scene.underpaint
        words = words_to_begin_with(image, settings) or say("What is to be there")
        column.prop(settings, "repaint_prompt", text="", placeholder=words)
        draw_negative(column, settings)
        row = column.row(align=True)
        row.operator("underpaint.marks_begin", icon="BRUSH_DATA")
        row.operator("underpaint.marks_box", icon="SELECT_SET")
        is_marked = marks.original_of(image) is not None
        if is_marked:
            row.operator("underpaint.marks_clear", text="", icon="X")
        here = column.column(align=True)
        here.enabled = is_marked
        row = here.row(align=True)
        row.scale_y = _BIG
        row.operator("underpaint.repaint_here", icon="TPAINT_HLT")
        here.prop(settings, "repaint_strength")
        draw_queue(column, live, room)
        if live.error is not None:
            box = layout.box()
            draw_text(box, sentence(live.error.message), room - 2, "ERROR", most=12)
            draw_text(box, live.error.panel_hint, room - 2, "INFO", most=12)
            box.operator("underpaint.dismiss_error")


class UNDERPAINT_PT_send_image(bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_send_image"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Underpaint"
    bl_label = "Picture"

    @classmethod
    def poll(cls, context: Any) -> bool:
        image = context.space_data.image
        return image is not None and all(image.size)

    def draw(self, context: Any) -> None:
        image = context.space_data.image
        draw_sides(self.layout, context.scene.underpaint)
        column = self.layout.column(align=True)
        column.operator("underpaint.enlarge", icon="FULLSCREEN_ENTER")
        column.operator("underpaint.compare", icon="ARROW_LEFTRIGHT")
        column.separator()
        column.operator("underpaint.set_background", icon="CAMERA_DATA").image = image.name
        column.operator("underpaint.send", text="As Reference", icon="EMPTY_DATA").to = "REFERENCE"
        column.operator("underpaint.send", text="As Plane", icon="MESH_PLANE").to = "PLANE"
        column.operator(
            "underpaint.send", text="To the Compositor", icon="NODE_COMPOSITING"
        ).to = "COMPOSITOR"
        column.operator(
            "underpaint.send", text="Project onto the Scene", icon="MOD_UVPROJECT"
        ).to = "PROJECT"
        column.operator("underpaint.use_settings", icon="LOOP_BACK").image = image.name


CLASSES = (UNDERPAINT_PT_edit_image, UNDERPAINT_PT_send_image)
