"""The Texture tab's sub-panels: settings, layers, edit. They draw what is known and ask nobody."""

from __future__ import annotations

from typing import Any

import bpy

from ..languages import say
from ..layers import weak
from ..layers.active import active_layer, active_material
from ..link import runtime
from ..link.marks import REQUEST_KEY
from .panel_parts import (
    InSidebar,
    characters,
    draw_own,
    draw_pattern,
    draw_sampling,
    draw_text,
    in_full_rows,
    in_property_rows,
    thumbnail,
)
from .words_parts import draw_model

_BIG = 1.3


class UNDERPAINT_UL_layers(bpy.types.UIList):
    bl_idname = "UNDERPAINT_UL_layers"

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
        row.prop(
            item, "visible", text="", emboss=False, icon="HIDE_OFF" if item.visible else "HIDE_ON"
        )
        image = item.look.image
        if image is None:
            row.label(text=say("{name} (image deleted)", name=item.name), icon="ERROR")
            return
        row.prop(item, "name", text="", emboss=False, icon_value=thumbnail(layout, image))
        if item.candidate.image is not None:
            row.label(text="", icon="FILE_REFRESH")
        if item.mask is not None:
            row.label(text="", icon="MOD_MASK")
        slider = row.row()
        slider.scale_x = 0.7
        slider.active = item.visible
        slider.prop(item, "opacity", text="", slider=True)


class UNDERPAINT_PT_layers(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_layers"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Layers"
    mode = "TEXTURE"

    def draw(self, context: Any) -> None:
        layout, material = self.layout, active_material(context)
        stack = None if material is None else material.underpaint
        if stack is None or not len(stack.layers):
            told = "What you paint lies here, layer by layer"
            draw_text(layout, told, characters(context) - 1, "RENDERLAYERS")
            return
        row = layout.row()
        row.template_list("UNDERPAINT_UL_layers", "", stack, "layers", stack, "active", rows=4)
        column = row.column(align=True)
        column.operator("underpaint.layer_move", text="", icon="TRIA_UP").by = -1
        column.operator("underpaint.layer_move", text="", icon="TRIA_DOWN").by = 1
        column.separator()
        column.operator("underpaint.layer_remove", text="", icon="X")
        layer = active_layer(context)
        if layer is not None:
            _draw_layer(layout, material, layer)
        row = layout.row(align=True)
        if (work := runtime.live().shown_work) is not None:
            row.progress(text=work.title, factor=work.fraction, type="BAR", translate=False)
            return
        row.operator("underpaint.layers_flatten", icon="MESH_PLANE")
        row.operator("underpaint.layers_restore", icon="LOOP_BACK")


class UNDERPAINT_PT_edit(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_edit"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Edit"
    mode = "TEXTURE"

    def draw(self, context: Any) -> None:
        layout, material = self.layout, active_material(context)
        marked = material is not None and material.underpaint.edit_mask is not None
        row = layout.row(align=True)
        if context.mode == "EDIT_MESH":
            row.label(text="The selected faces are repainted", icon="FACESEL")
        else:
            if context.mode == "PAINT_TEXTURE":
                row.operator("underpaint.mask_done", icon="CHECKMARK")
            else:
                row.operator("underpaint.mask_paint", icon="BRUSH_DATA")
                row.operator("underpaint.mark_view", text="", icon="EYEDROPPER")
            if marked:
                row.operator("underpaint.mask_clear", text="", icon="X")
        row = layout.row()
        row.scale_y = _BIG
        row.enabled = marked or context.mode == "EDIT_MESH"
        row.operator("underpaint.repaint", icon="TPAINT_HLT")
        layout.separator()
        column = layout.column(align=True)
        row = column.row(align=True)
        row.scale_y = _BIG
        row.operator("underpaint.restyle", icon="SHADERFX")
        column.prop(context.scene.underpaint_texture, "strength")


class UNDERPAINT_PT_texture(InSidebar, bpy.types.Panel):
    bl_idname = "UNDERPAINT_PT_texture"
    bl_parent_id = "UNDERPAINT_PT_main"
    bl_label = "Settings"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's form)
    mode = "TEXTURE"

    def draw(self, context: Any) -> None:
        layout, settings = in_property_rows(self.layout), context.scene.underpaint_texture
        draw_model(layout, settings)
        layout.prop(settings, "method")
        column = layout.column(align=True)
        column.prop(settings, "size")
        draw_own(column, settings, "view_size")
        if settings.views == "PLACED":
            column.prop(settings, "view_count", text=say("Views"))
        draw_sampling(layout, settings)
        if runtime.follows_guide(settings.model):
            draw_pattern(layout, settings)
        row = layout.row()
        row.prop(settings, "mirror", expand=True)
        column = in_full_rows(layout)
        for name in ("pbr", "fine", "directional_prompts"):
            column.prop(settings, name)
        column = in_full_rows(layout)
        for name in ("stream", "show_solid", "mask_over_paint"):
            column.prop(settings, name)


CLASSES = (
    UNDERPAINT_UL_layers,
    UNDERPAINT_PT_layers,
    UNDERPAINT_PT_edit,
    UNDERPAINT_PT_texture,
)


def _draw_layer(layout: Any, material: Any, layer: Any) -> None:
    """The buttons of the layer that is selected in the list."""
    if layer.candidate.image is not None:
        row = layout.row(align=True)
        row.label(text="New try:", icon="FILE_REFRESH")
        row.operator("underpaint.layer_decide", text="Keep", icon="CHECKMARK").accept = True
        row.operator("underpaint.layer_decide", text="Back", icon="X").accept = False
    image = layer.paint.image
    row = layout.row(align=True)
    again = row.row(align=True)
    again.enabled = image is not None and REQUEST_KEY in image and runtime.live().current is None
    again.operator("underpaint.reroll", icon="FILE_REFRESH")
    if image is not None and REQUEST_KEY in image:
        row.operator(
            "underpaint.use_settings", text="Use Settings", icon="COPYDOWN"
        ).image = image.name
    row = layout.row(align=True)
    row.operator("underpaint.mask_paint", text="Layer Mask", icon="MOD_MASK").what = "LAYER"
    row.operator("underpaint.mask_by_form", text="", icon="RNDCURVE")
    shown = weak.is_shown(material)
    row.operator("underpaint.layer_weak", text="", icon="COLORSET_03_VEC", depress=shown)
    if layer.mask is not None:
        row.operator("underpaint.mask_clear", text="", icon="X").what = "LAYER"
