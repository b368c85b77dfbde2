"""Mark by a click what one view painted, to have it painted again."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any, ClassVar

import bpy
from bpy.props import FloatVectorProperty
from bpy_extras import view3d_utils
from mathutils import Vector
from mathutils.geometry import barycentric_transform, closest_point_on_tri

from underpaint.errors import UnderpaintError

from ..image.results import results_folder
from ..languages import say
from ..layers import pixels, stack
from ..layers.active import active_layer, need_layer, need_material
from ..layers.view_mask import painted_by_the_view_at
from .failing import allowed, refuse

_LEFT = ("ESC", "RIGHTMOUSE")


class UNDERPAINT_OT_mark_view(bpy.types.Operator):
    """Click the object: what the same view painted there is marked, to be repainted"""

    bl_idname = "underpaint.mark_view"
    bl_label = "Mark by a Click"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    uv: FloatVectorProperty(
        size=2,
        options={"HIDDEN", "SKIP_SAVE"},
        description="The spot, in the UV map of the layer",
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        return allowed(cls, active_layer(context), "Select the object and one of its layers")

    def invoke(self, context: Any, _event: Any) -> set[str]:
        context.window.cursor_modal_set("EYEDROPPER")
        context.workspace.status_text_set(say("Click what is to be repainted; Esc: leave it"))
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        if event.type in _LEFT:
            self.cancel(context)
            return {"CANCELLED"}
        if event.type != "LEFTMOUSE" or event.value != "PRESS":
            return {"PASS_THROUGH"}
        found = _uv_under(context, event)
        if found is None:
            return {"RUNNING_MODAL"}  # beside the object: another click
        self.cancel(context)
        self.uv = found
        return self.execute(context)

    def cancel(self, context: Any) -> None:
        context.window.cursor_modal_restore()
        context.workspace.status_text_set(None)

    def execute(self, context: Any) -> set[str]:
        try:
            material, layer = need_material(context), need_layer(context)
            masks = painted_by_the_view_at(material, layer, (self.uv[0], self.uv[1]))
        except UnderpaintError as error:
            return refuse(self, error)
        folder = results_folder() / "masks"
        mask = pixels.new_of_tiles("Repaint here", masks, folder, data=True)
        material.underpaint.edit_mask = mask
        stack.changed(material)
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_mark_view,)


def _uv_under(context: Any, event: Any) -> tuple[float, float] | None:
    """The UV of the active object's spot under the pointer; None beside it."""
    region = next(r for r in context.area.regions if r.type == "WINDOW")
    at = (event.mouse_x - region.x, event.mouse_y - region.y)
    view = context.area.spaces.active.region_3d
    origin = view3d_utils.region_2d_to_origin_3d(region, view, at)
    along = view3d_utils.region_2d_to_vector_3d(region, view, at)
    depsgraph = context.evaluated_depsgraph_get()
    hit, place, _normal, face, item, matrix = context.scene.ray_cast(depsgraph, origin, along)
    if not hit or item.original != context.view_layer.objects.active:
        return None
    return uv_at(item.evaluated_get(depsgraph), face, matrix.inverted() @ place)


def uv_at(item: Any, face: int, place: Any) -> tuple[float, float] | None:
    """The UV of a place on a face of an evaluated object, both its own."""
    mesh = item.data
    layer = next((m for m in mesh.uv_layers if m.active_render), mesh.uv_layers.active)
    if layer is None:
        return None
    mesh.calc_loop_triangles()
    parts = [part for part in mesh.loop_triangles if part.polygon_index == face]

    def away(part: Any) -> float:
        corners = (mesh.vertices[vertex].co for vertex in part.vertices)
        return float((closest_point_on_tri(place, *corners) - place).length)

    nearest = min(parts, key=away)
    corners = [mesh.vertices[vertex].co for vertex in nearest.vertices]
    flat = [Vector((*layer.uv[loop].vector, 0.0)) for loop in nearest.loops]
    u, v, _ = barycentric_transform(place, *corners, *flat)
    return float(u), float(v)
