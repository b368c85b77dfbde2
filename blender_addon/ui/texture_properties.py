"""The Texture tab's settings, saved with the scene, and each object's own prompt and LoRAs."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from underpaint.buffers import Buffers
from underpaint.requests import Method

from ..languages import CONTEXT, register_class
from ..texture.request import TextureSettings
from .painting_properties import (
    PaintingProperties,
    UnderpaintLora,
    read,
    read_own,
    read_painting,
    write,
    write_own,
    write_painting,
)
from .part_properties import ReferenceProperties, read_references, write_references

_DEFAULTS = TextureSettings()
_PLAIN = ("view_count", "size", "directional_prompts", "pbr", "own_uv")
_OWN = ("view_size",)
_METHODS = (
    (Method.SYNC.value, "All Together", "Every view is painted at once, in agreement"),
    (
        Method.GRID_SYNC.value,
        "Sides First",
        "Four sides as one picture, then all views from it: one idea of the object",
    ),
    (
        Method.SEQUENTIAL.value,
        "One by One",
        "Each view continues what is there; needs least memory",
    ),
    (Method.SINGLE.value, "One View", "A single view, onto what it sees; the rest is filled in"),
)
_VIEWS = (
    ("PLACED", "Around", "Views are placed about the object by themselves"),
    ("CAMERAS", "Cameras", "What each of the scene's cameras sees"),
    ("VIEWPORT", "This View", "What this 3D viewport shows"),
)
_AXES = (
    ("OFF", "Off", "Each side is painted for itself"),
    ("X", "X", "Left and right are alike, along the object's X axis"),
    ("Y", "Y", "Front and back are alike, along the object's Y axis"),
    ("Z", "Z", "Top and bottom are alike, along the object's Z axis"),
)
_LEAST_SIDE, _MOST_SIDE = 64, 8192


class UnderpaintTextureSettings(ReferenceProperties, PaintingProperties, bpy.types.PropertyGroup):
    """What to paint onto the selected objects, and how."""

    prompt: StringProperty(name="Prompt", description="What the surface is to look like")
    method: EnumProperty(
        name="Method",
        items=_METHODS,
        default=_DEFAULTS.method.value,
        description="How the pictures from all sides come to agree on the surface",
    )
    views: EnumProperty(
        name="Views", items=_VIEWS, default="PLACED", description="From where the object is painted"
    )
    view_count: IntProperty(
        name="Count",
        default=_DEFAULTS.view_count,
        min=1,
        max=64,
        description="From how many sides to look; more see into more corners and take longer",
    )
    view_size: IntProperty(
        name="View Size",
        min=0,
        max=2048,
        subtype="PIXEL",
        description="Pixels a side of each view. 0: what the model was made for, which is best",
    )
    size: IntProperty(
        name="Texture",
        default=_DEFAULTS.size,
        min=_LEAST_SIDE,
        max=_MOST_SIDE,
        subtype="PIXEL",
        description="Pixels a side of the texture: more hold finer detail, and take more room",
    )
    fine: BoolProperty(
        name="Finer Views",
        description="Paint each view once more at twice its size, for more detail",
    )
    directional_prompts: BoolProperty(
        name="Say Which Side",
        default=_DEFAULTS.directional_prompts,
        description="Tell the model which side it paints: front, back, left, right",
    )
    own_uv: BoolProperty(
        name="Pattern by UVs",
        description="Lay patterns out by the mesh's own UVs, in place of the world's axes",
    )
    mirror: EnumProperty(
        name="Mirror",
        items=_AXES,
        default="OFF",
        description="Make the texture symmetric across an axis of the active object",
    )
    pbr: BoolProperty(
        name="Material Maps",
        description="Also make roughness, metallic and normal maps, and plug them in",
    )
    strength: FloatProperty(
        name="Strength",
        default=_DEFAULTS.strength,
        min=0.05,
        max=0.99,
        subtype="FACTOR",
        description="Of Restyle: how far to go from what is there",
    )
    show_solid: BoolProperty(
        name="Show in Solid",
        default=True,
        description="Let Solid shading show textures as soon as there is one",
    )
    mask_over_paint: BoolProperty(
        name="Masks over the Paint",
        default=True,
        description="While a mask is painted, show it in red over the texture: in Material Preview",
    )
    stream: BoolProperty(
        name="Watch It Grow",
        default=True,
        description="Show the unfinished texture on the object while it is painted",
    )


def read_texture_settings(group: Any, pictures: Buffers | None = None) -> TextureSettings:
    """The plain settings of a `scene.underpaint_texture`. `pictures`: takes in references;
    without it they are left out."""
    return TextureSettings(
        references=read_references(group, pictures),
        **read_painting(group),
        **read(group, _PLAIN),
        **read_own(group, _OWN),
        method=Method(group.method),
        upscale=2 if group.fine else 1,
    )


def write_texture_settings(
    group: Any, settings: TextureSettings, pictures: Buffers | None = None
) -> None:
    """Put plain settings into a `scene.underpaint_texture`. `pictures`: where references are;
    without it theirs stay."""
    write_painting(group, settings)
    write(group, settings, _PLAIN)
    write_own(group, settings, _OWN)
    write_references(group, settings.references, pictures)
    group.method, group.fine = settings.method.value, settings.upscale > 1


def register() -> None:
    register_class(UnderpaintTextureSettings)
    bpy.types.Scene.underpaint_texture = PointerProperty(type=UnderpaintTextureSettings)
    bpy.types.Object.underpaint_prompt = StringProperty(
        name="Own Prompt",
        description="What this object is to look like, where others are painted with it; empty: "
        "what the panel says",
        translation_context=CONTEXT,
    )
    bpy.types.Object.underpaint_loras = CollectionProperty(
        type=UnderpaintLora,
        name="Own LoRAs",
        description="The LoRAs that act on this object, and nowhere else",
        translation_context=CONTEXT,
    )
    bpy.types.Object.underpaint_leave = BoolProperty(
        name="Leave Alone",
        description="Nothing is painted on this object: in pictures it stays as the view shows it, "
        "and textures leave it out",
        translation_context=CONTEXT,
    )


def unregister() -> None:
    del bpy.types.Object.underpaint_leave
    del bpy.types.Object.underpaint_loras
    del bpy.types.Object.underpaint_prompt
    del bpy.types.Scene.underpaint_texture
    bpy.utils.unregister_class(UnderpaintTextureSettings)
