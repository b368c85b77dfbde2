"""What is saved of texturing: settings with the scene, layers with each material."""

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

from underpaint.requests import STARTER_MODEL, Method, Sampler

from .layers import nodes, shown
from .properties import MAX_SEED, SAMPLERS, known_models
from .request_builder import tidy
from .texture_request import TextureSettings

_DEFAULTS = TextureSettings()
_PLAIN = (
    *("prompt", "negative", "model", "view_count", "view_size", "size", "steps", "guidance"),
    *("seed", "directional_prompts", "pbr", "strength"),
)
_METHODS = (
    (Method.SYNC.value, "All Together", "Every view is painted at once, in agreement"),
    (Method.GRID_SYNC.value, "Sides First", "Four sides as one picture, then all views from it"),
    (
        Method.SEQUENTIAL.value,
        "One by One",
        "Each view continues what is there; needs least memory",
    ),
    (Method.SINGLE.value, "One View", "A single view, onto what it sees"),
)
_VIEWS = (
    ("PLACED", "Around", "Views are placed about the object by themselves"),
    ("CAMERAS", "Cameras", "What each of the scene's cameras sees"),
    ("VIEWPORT", "This View", "What this 3D viewport shows"),
)
_AXES = (("OFF", "Off", ""), ("X", "X", ""), ("Y", "Y", ""), ("Z", "Z", ""))
_LEAST_SIDE, _MOST_SIDE = 64, 8192


def _slid(self: Any, _context: Any) -> None:
    """A slider or the eye: values in the nodes, and Solid shading's picture."""
    material = self.id_data
    nodes.set_opacities(material, shown.lowest_first(material))
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


class UnderpaintTextureSettings(bpy.types.PropertyGroup):
    """What to paint onto the selected objects, and how."""

    prompt: StringProperty(name="Prompt", description="What the surface is to look like")
    negative: StringProperty(name="Negative", description="What to keep away from")
    model: StringProperty(
        name="Model",
        default=STARTER_MODEL,
        description="A model's name, or a diffusers-format folder",
        search=known_models,
        search_options={"SUGGESTION"},
    )
    method: EnumProperty(name="Method", items=_METHODS, default=_DEFAULTS.method.value)
    views: EnumProperty(name="Views", items=_VIEWS, default="PLACED")
    view_count: IntProperty(
        name="Count",
        default=_DEFAULTS.view_count,
        min=1,
        max=64,
        description="From how many sides to look; more see into more corners and take longer",
    )
    view_size: IntProperty(
        name="View Size",
        default=_DEFAULTS.view_size,
        min=_LEAST_SIDE,
        max=2048,
        subtype="PIXEL",
        description="Pixels a side of each view: what the model was trained for is best",
    )
    size: IntProperty(
        name="Texture",
        default=_DEFAULTS.size,
        min=_LEAST_SIDE,
        max=_MOST_SIDE,
        subtype="PIXEL",
        description="Pixels a side of the texture",
    )
    fine: BoolProperty(
        name="Finer Views",
        description="Paint each view once more at twice its size, for more detail",
    )
    steps: IntProperty(name="Steps", default=_DEFAULTS.steps, min=1, max=150)
    guidance: FloatProperty(
        name="Guidance",
        default=_DEFAULTS.guidance,
        min=1.0,
        max=30.0,
        description="How closely to follow the prompt; 1 is off",
    )
    sampler: EnumProperty(name="Sampler", items=SAMPLERS, default=_DEFAULTS.sampler.value)
    seed: IntProperty(
        name="Seed", default=0, min=0, max=MAX_SEED, description="Same seed, same texture"
    )
    random_seed: BoolProperty(name="New Seed", description="Take a new seed for each texture")
    directional_prompts: BoolProperty(
        name="Say Which Side",
        default=_DEFAULTS.directional_prompts,
        description="Tell the model which side it paints: front, back, left, right",
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


CLASSES = (UnderpaintLook, UnderpaintLayer, UnderpaintStack, UnderpaintTextureSettings)


def read_texture_settings(group: Any) -> TextureSettings:
    """The plain settings of a `scene.underpaint_texture`."""
    return TextureSettings(
        **{name: getattr(group, name) for name in _PLAIN if name not in ("guidance", "strength")},
        guidance=tidy(group.guidance),
        strength=tidy(group.strength),
        method=Method(group.method),
        sampler=Sampler(group.sampler),
        upscale=2 if group.fine else 1,
    )


def write_texture_settings(group: Any, settings: TextureSettings) -> None:
    """Put plain settings into a `scene.underpaint_texture`."""
    for name in _PLAIN:
        setattr(group, name, getattr(settings, name))
    group.method, group.sampler = settings.method.value, settings.sampler.value
    group.fine = settings.upscale > 1


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.underpaint_texture = PointerProperty(type=UnderpaintTextureSettings)
    bpy.types.Material.underpaint = PointerProperty(type=UnderpaintStack)
    bpy.types.Object.underpaint_prompt = StringProperty(
        name="Own Prompt",
        description="What this object is to look like, where others are painted with it; empty: "
        "what the panel says",
    )


def unregister() -> None:
    del bpy.types.Object.underpaint_prompt
    del bpy.types.Material.underpaint
    del bpy.types.Scene.underpaint_texture
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
