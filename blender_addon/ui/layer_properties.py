"""The layers of each material: what is saved of them with the .blend."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..layers import nodes, shown
from ..layers.visible import lowest_first


def _slid(self: Any, _context: Any) -> None:
    """A slider or the eye: values in the nodes, and Solid shading's picture."""
    material = self.id_data
    nodes.set_opacities(material, lowest_first(material))
    shown.refresh(material)


class UnderpaintLook(bpy.types.PropertyGroup):
    """The images of one painting. `image`: colour; the others only where they were asked for."""

    image: PointerProperty(type=bpy.types.Image)
    roughness: PointerProperty(type=bpy.types.Image)
    metallic: PointerProperty(type=bpy.types.Image)
    normal: PointerProperty(type=bpy.types.Image)
    height: PointerProperty(type=bpy.types.Image)
    ao: PointerProperty(type=bpy.types.Image)


class UnderpaintLayer(bpy.types.PropertyGroup):
    """One layer. `uid`: the job that made it. `partial`: its paint does not cover everything."""

    uid: StringProperty()
    paint: PointerProperty(type=UnderpaintLook)
    candidate: PointerProperty(type=UnderpaintLook)
    mask: PointerProperty(type=bpy.types.Image)
    uv_map: StringProperty()
    partial: BoolProperty()
    opacity: FloatProperty(
        name="Opacity",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How much of this layer is seen",
        update=_slid,
    )
    visible: BoolProperty(name="Visible", default=True, description="Show this layer", update=_slid)

    @property
    def look(self) -> Any:
        """What is shown: another try while there is one, else the layer's own paint."""
        return self.candidate if self.candidate.image is not None else self.paint


class UnderpaintStack(bpy.types.PropertyGroup):
    """A material's layers, topmost first. `edit_mask`: where to repaint. `made`: the material was
    made for the paint; `original`: it is a copy of that one, made because others wear it too;
    `without_nodes`: it used none before."""

    layers: CollectionProperty(type=UnderpaintLayer)
    active: IntProperty(name="Layer")
    edit_mask: PointerProperty(type=bpy.types.Image)
    made: BoolProperty()
    without_nodes: BoolProperty()
    original: PointerProperty(type=bpy.types.Material)


_CLASSES = (UnderpaintLook, UnderpaintLayer, UnderpaintStack)


def register() -> None:
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Material.underpaint = PointerProperty(type=UnderpaintStack)


def unregister() -> None:
    del bpy.types.Material.underpaint
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
