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

from ..languages import register_class
from ..layers import nodes, shown
from ..layers.visible import lowest_first


def _slid(self: Any, _context: Any) -> None:
    """A slider or the eye: values in the nodes, and Solid shading's picture."""
    material = self.id_data
    nodes.set_opacities(material, lowest_first(material))
    shown.refresh(material)


def _own(kind: Any, description: str, **options: Any) -> Any:
    """A property that no panel shows."""
    return kind(options={"HIDDEN"}, description=description, **options)


class UnderpaintLook(bpy.types.PropertyGroup):
    """The images of one painting. `image`: colour; the others only where they were asked for."""

    image: _own(PointerProperty, "The painted colours", type=bpy.types.Image)
    roughness: _own(PointerProperty, "How rough the painted surface is", type=bpy.types.Image)
    metallic: _own(PointerProperty, "Where the painted surface is metal", type=bpy.types.Image)
    normal: _own(PointerProperty, "The relief of the painted surface", type=bpy.types.Image)
    height: _own(PointerProperty, "How high the painted surface stands", type=bpy.types.Image)
    ao: _own(PointerProperty, "Where the painted surface lies in shade", type=bpy.types.Image)


class UnderpaintLayer(bpy.types.PropertyGroup):
    """One layer. `uid`: the job that made it. `partial`: its paint does not cover everything."""

    uid: _own(StringProperty, "The id of the job that made this layer")
    paint: _own(PointerProperty, "What was painted", type=UnderpaintLook)
    candidate: _own(PointerProperty, "Another try, until one decides", type=UnderpaintLook)
    mask: _own(PointerProperty, "Where the layer is seen", type=bpy.types.Image)
    uv_map: _own(StringProperty, "The UV map that it was painted by; empty: the only one")
    partial: _own(BoolProperty, "Its paint does not cover everything")
    opacity: FloatProperty(
        name="Opacity",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How much of this layer is seen over those below",
        update=_slid,
    )
    visible: BoolProperty(
        name="Visible",
        default=True,
        description="Show this layer; a hidden one is kept",
        update=_slid,
    )

    @property
    def look(self) -> Any:
        """What is shown: another try while there is one, else the layer's own paint."""
        return self.candidate if self.candidate.image is not None else self.paint


class UnderpaintStack(bpy.types.PropertyGroup):
    """A material's layers, topmost first. `edit_mask`: where to repaint. `made`: the material was
    made for the paint; `original`: it is a copy of that one, made because others wear it too;
    `without_nodes`: it used none before."""

    layers: _own(CollectionProperty, "The layers, topmost first", type=UnderpaintLayer)
    active: IntProperty(name="Layer", description="The layer that is worked on")
    edit_mask: _own(PointerProperty, "Where it is repainted next", type=bpy.types.Image)
    made: _own(BoolProperty, "The material was made for the paint")
    without_nodes: _own(BoolProperty, "The material used no nodes before")
    original: _own(PointerProperty, "The material that this is a copy of", type=bpy.types.Material)


_CLASSES = (UnderpaintLook, UnderpaintLayer, UnderpaintStack)


def register() -> None:
    for cls in _CLASSES:
        register_class(cls)
    bpy.types.Material.underpaint = PointerProperty(type=UnderpaintStack)


def unregister() -> None:
    del bpy.types.Material.underpaint
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
