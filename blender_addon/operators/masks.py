"""Masks: paint where to repaint, or where a layer shows."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from collections.abc import Sequence
from typing import Any, ClassVar

import bpy
import numpy as np
from bpy.props import EnumProperty, FloatProperty

from underpaint.errors import ErrorCode, RequestError, UnderpaintError

from ..image.results import results_folder
from ..layers import materials, pixels, shown, stack
from ..layers.active import active_layer, active_material, need_layer, need_material
from ..layers.compose import to_rgba
from ..layers.faces import tiles_worn
from ..layers.form_mask import Form, Range, form_masks
from ..plain.udim import FIRST_TILE
from ..texture.scene_mesh import read_objects
from ..texture.scene_surfaces import paintable
from ..viewport import shading
from .failing import allowed, refuse
from .modes import enter

_WHAT = (
    ("PLACE", "Place", "Only here is it repainted"),
    ("LAYER", "Layer", "Only here is the layer seen"),
)


_FORMS = (
    (Form.HEIGHT.value, "Height", "How high it lies, from the lowest to the highest spot"),
    (Form.SLOPE.value, "Slope", "Which way it faces: up, to the side, or down"),
)


def _part(name: str, default: float, description: str) -> Any:
    return FloatProperty(
        name=name, default=default, min=0.0, max=1.0, subtype="FACTOR", description=description
    )


class _Mask:
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    what: EnumProperty(
        items=_WHAT,
        default="PLACE",
        options={"HIDDEN", "SKIP_SAVE"},
        description="What the mask is of: the next repainting, or the layer",
    )


class UNDERPAINT_OT_mask_paint(_Mask, bpy.types.Operator):
    """Paint a mask on the object: white is in, black is out"""

    bl_idname = "underpaint.mask_paint"
    bl_label = "Paint Mask"

    @classmethod
    def poll(cls, context: Any) -> bool:
        item = context.view_layer.objects.active
        is_mesh = item is not None and item.type == "MESH"
        return allowed(cls, is_mesh, "Select a mesh object")

    def execute(self, context: Any) -> set[str]:
        try:
            enter(context, "TEXTURE_PAINT")
            material = need_material(context)
            image = _place_mask(context, material) if self.what == "PLACE" else _layer_mask(context)
        except UnderpaintError as error:
            return refuse(self, error)
        if image is None:
            return {"CANCELLED"}
        # On this image and no other. The artist's brush is theirs.
        paint = context.scene.tool_settings.image_paint
        paint.mode, paint.canvas = "IMAGE", image
        if context.scene.underpaint_texture.mask_over_paint:
            shading.show_nodes(context)
        return {"FINISHED"}


class UNDERPAINT_OT_mask_by_form(bpy.types.Operator):
    """Show the layer by the form below it: where it lies high or low, or is steep or flat"""

    bl_idname = "underpaint.mask_by_form"
    bl_label = "Mask by Form"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    form: EnumProperty(
        name="By",
        items=_FORMS,
        default=Form.SLOPE.value,
        description="What decides where the layer is seen",
    )
    low: _part("From", 0.0, "From here on the layer is seen: 0 is the lowest, or faces up")
    high: _part("To", 0.3, "Up to here the layer is seen: 1 is the highest, or faces down")
    soft: _part("Soft", 0.1, "How wide the edge is, from not seen to seen")

    @classmethod
    def poll(cls, context: Any) -> bool:
        return allowed(cls, active_layer(context), "Select a layer first")

    def execute(self, context: Any) -> set[str]:
        where = Range(self.low, self.high, self.soft)
        try:
            set_form_mask(context, Form(self.form), where)
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}


class UNDERPAINT_OT_mask_clear(_Mask, bpy.types.Operator):
    """Take this mask away; the paint itself stays"""

    bl_idname = "underpaint.mask_clear"
    bl_label = "Clear Mask"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return allowed(cls, active_material(context), "Select an object that has a material")

    def execute(self, context: Any) -> set[str]:
        material, layer = active_material(context), active_layer(context)
        if self.what == "PLACE":
            material.underpaint.edit_mask = None
            stack.changed(material)
        elif layer is not None:
            stack.set_mask(layer, None)
        leave_painting(context)
        return {"FINISHED"}


class UNDERPAINT_OT_mask_done(bpy.types.Operator):
    """End painting the mask, and show the object as before"""

    bl_idname = "underpaint.mask_done"
    bl_label = "Done"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        painting = context.mode == "PAINT_TEXTURE"
        return allowed(cls, painting, "No mask is being painted")

    def execute(self, context: Any) -> set[str]:
        leave_painting(context)
        material = active_material(context)
        if material is not None:
            for mask in stack.masks(material):
                pixels.flush(mask)
            shown.refresh(material)
        return {"FINISHED"}


def leave_painting(context: Any) -> None:
    """Back to Object Mode and the shading of before, if this is Texture Paint."""
    if context.mode == "PAINT_TEXTURE":
        bpy.ops.object.mode_set(mode="OBJECT")
    shading.show_as_before(context)


def _place_mask(context: Any, material: Any) -> Any:
    """The mask of what to repaint; made, black, when there is none yet."""
    materials.use_nodes(material)
    own = material.underpaint
    if own.edit_mask is None:
        side = context.scene.underpaint_texture.size
        tiles = tiles_worn(paintable(context), material)
        own.edit_mask = _new_mask("Repaint here", side, tiles, white=False)
        stack.changed(material)
    return own.edit_mask


def _layer_mask(context: Any) -> Any:
    """The active layer's mask; made, white, when it has none yet. None without a layer."""
    layer = active_layer(context)
    if layer is None:
        return None
    if layer.mask is None:
        image = layer.look.image
        side = max(image.size[0], 64) if image is not None else 1024
        tiles = [FIRST_TILE] if image is None else pixels.tile_numbers(image)
        stack.set_mask(layer, _new_mask(f"{layer.name} mask", side, tiles, white=True))
    return layer.mask


def set_form_mask(context: Any, form: Form, where: Range) -> None:
    """Give the active layer a mask by the form of everything that wears it. Raises
    RequestError(BAD_REQUEST, BAD_MESH)."""
    material, layer = need_material(context), need_layer(context)
    items = [
        item
        for item in context.view_layer.objects
        if item.type == "MESH" and any(slot.material == material for slot in item.material_slots)
    ]
    image = layer.look.image
    side = max(image.size[0], 64) if image is not None else 1024
    read = read_objects(items, context.evaluated_depsgraph_get())
    worn = [
        (one, [i for i, slot in enumerate(item.material_slots) if slot.material == material])
        for one, item in zip(read, items, strict=True)
    ]
    masks = form_masks(worn, form, where, side)
    if not masks:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "what wears the layer has no UV map",
            hint="Press Unwrap to have one made.",
        )
    tiles = {
        number: np.dstack([mask, mask, mask, np.full_like(mask, 255)])
        for number, mask in masks.items()
    }
    name = f"{layer.name} mask"
    stack.set_mask(layer, pixels.new_of_tiles(name, tiles, results_folder() / "masks", data=True))


def _new_mask(name: str, side: int, tiles: Sequence[int], *, white: bool) -> Any:
    """A mask of one colour, so many pixels a side on each UDIM tile."""
    part = to_rgba(np.full((side, side), white))
    folder = results_folder() / "masks"
    return pixels.new_of_tiles(name, dict.fromkeys(tiles, part), folder, data=True)
