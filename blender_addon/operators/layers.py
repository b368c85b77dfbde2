"""What can be done with a layer: order, remove, decide, flatten, restore. Each is one undo step."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from underpaint.errors import UnderpaintError

from .. import pump
from ..layers import flattening, stack, weak
from ..layers.active import active_layer, active_material
from ..link import runtime
from ..viewport import shading
from .failing import allowed, refuse


class _OnLayer:
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return allowed(cls, active_layer(context), "Select the object and one of its layers")


class UNDERPAINT_OT_layer_move(_OnLayer, bpy.types.Operator):
    """Move this layer up or down; what lies above covers what lies below"""

    bl_idname = "underpaint.layer_move"
    bl_label = "Move Layer"

    by: IntProperty(
        default=-1,
        options={"HIDDEN", "SKIP_SAVE"},
        description="How many places: below 0 up, above 0 down",
    )

    def execute(self, context: Any) -> set[str]:
        material = active_material(context)
        stack.move(material, material.underpaint.active, self.by)
        return {"FINISHED"}


class UNDERPAINT_OT_layer_remove(_OnLayer, bpy.types.Operator):
    """Remove this layer; what is below it shows again"""

    bl_idname = "underpaint.layer_remove"
    bl_label = "Remove Layer"

    def execute(self, context: Any) -> set[str]:
        material = active_material(context)
        stack.remove(material, material.underpaint.active)
        return {"FINISHED"}


class UNDERPAINT_OT_layer_decide(_OnLayer, bpy.types.Operator):
    """Keep the new try of this layer, or go back to the old one"""

    bl_idname = "underpaint.layer_decide"
    bl_label = "Decide"

    accept: BoolProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="Keep the new try; off: the old one"
    )

    def execute(self, context: Any) -> set[str]:
        layer = active_layer(context)
        if layer.candidate.image is None:
            return {"CANCELLED"}
        stack.decide(layer, accept=self.accept)
        return {"FINISHED"}


class UNDERPAINT_OT_layer_weak(_OnLayer, bpy.types.Operator):
    """Show where this layer is weak: green is seen well, orange at an angle, red is filled in"""

    bl_idname = "underpaint.layer_weak"
    bl_label = "Weak Spots"

    def execute(self, context: Any) -> set[str]:
        try:
            if weak.toggle(active_material(context), active_layer(context)):
                shading.show_textures_in_solid(context)
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}


class UNDERPAINT_OT_layers_flatten(_OnLayer, bpy.types.Operator):
    """Make one layer of all that are visible, looking just the same. Hidden layers go"""

    bl_idname = "underpaint.layers_flatten"
    bl_label = "Flatten"
    bl_options: ClassVar[set[str]] = {"REGISTER"}  # what comes of it is the undo step

    wait: BoolProperty(
        default=True,
        options={"HIDDEN", "SKIP_SAVE"},
        description="In background mode, return when it is flattened",
    )

    def execute(self, context: Any) -> set[str]:
        flatten = flattening.now if bpy.app.background and self.wait else flattening.begin
        try:
            flatten(active_material(context))
        except UnderpaintError as error:
            return refuse(self, error)
        pump.start()
        return {"FINISHED"}


class UNDERPAINT_OT_apply_flat(bpy.types.Operator):
    """Put the one layer that was made of many in their place"""

    bl_idname = "underpaint.apply_flat"
    bl_label = "Underpaint: Flattened"
    bl_options: ClassVar[set[str]] = {"UNDO", "INTERNAL"}

    material: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="The material, by its session id"
    )

    def execute(self, _context: Any) -> set[str]:
        try:
            flattening.finish(int(self.material))
        except UnderpaintError as error:
            runtime.live().error = error  # for the panel: nobody called this
            return {"CANCELLED"}
        return {"FINISHED"}


class UNDERPAINT_OT_layers_restore(_OnLayer, bpy.types.Operator):
    """Take every layer away: the material as it was before the first one"""

    bl_idname = "underpaint.layers_restore"
    bl_label = "Restore Original"

    def execute(self, context: Any) -> set[str]:
        stack.restore(active_material(context))
        return {"FINISHED"}
