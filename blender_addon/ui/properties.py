"""The Image tab's settings and gallery, saved with the scene: `scene.underpaint`."""

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

from ..following.kinds import PANEL_CONTROLS
from ..following.properties import control_properties, read_control, write_control
from ..image.request import ImageSettings
from ..languages import register_class
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
from .part_properties import (
    PartProperties,
    ReferenceProperties,
    UnderpaintReference,
    UnderpaintRegion,
    read_references,
    read_regions,
    write_references,
    write_regions,
)

_BLOCK = 8
_LEAST_SIDE = 64
_DEFAULTS = ImageSettings()
_PLAIN = (
    "repaint",
    "pattern_ground",
    "object_prompts",
    "refiner",
    "refiner_strength",
    "refiner_hands_over",
    "refiner_handoff",
)
_OWN = ("width", "height", "image_guidance")
_SOURCES = (
    ("CAMERA", "Camera", "Paint what the scene's camera sees"),
    ("VIEWPORT", "Viewport", "Paint what this 3D viewport shows"),
)
_MODES = (
    ("IMAGE", "Image", "Paint pictures of the scene, over its forms"),
    ("TEXTURE", "Texture", "Paint the objects themselves, from all sides"),
)


def _snap_size(self: Any, _context: Any) -> None:
    """Models work on blocks of 8 pixels."""
    for name in ("width", "height"):
        value = getattr(self, name)
        if value % _BLOCK or 0 < value < _LEAST_SIDE:
            setattr(self, name, max(_LEAST_SIDE, round(value / _BLOCK) * _BLOCK))


def _seen_otherwise(_self: Any, context: Any) -> None:
    """The viewport is drawn anew, too, and not the sidebar alone."""
    if context.area is not None:
        context.area.tag_redraw()


def _side(name: str) -> Any:
    meaning = "Pixels of the picture this way. 0: what the model was made for, which is best"
    return IntProperty(
        name=name, min=0, max=4096, subtype="PIXEL", update=_snap_size, description=meaning
    )


class UnderpaintResult(bpy.types.PropertyGroup):
    """An entry of the gallery."""

    image: PointerProperty(
        type=bpy.types.Image,
        options={"HIDDEN"},
        description="The painting, as an image of this file",
    )


class UnderpaintSettings(
    PartProperties, ReferenceProperties, PaintingProperties, bpy.types.PropertyGroup
):
    """What to paint and how. `mode`: what the panel shows."""

    mode: EnumProperty(
        name="Paint",
        items=_MODES,
        default="IMAGE",
        description="What is painted: pictures, or the objects",
    )
    prompt: StringProperty(
        name="Prompt",
        description="What to paint: things first, then material, light and manner, with commas",
    )
    source: EnumProperty(
        name="View",
        items=_SOURCES,
        default="CAMERA",
        description="From where the picture sees the scene",
    )
    width: _side("Width")
    height: _side("Height")
    model_controls: BoolProperty(
        name="What the Model Wants",
        default=True,
        description="Follow the scene as the model was made to; off: as set below",
    )
    more_controls: BoolProperty(
        name="With Your Own ControlNet",
        description="Show what the model itself has no ControlNet for: give it one as a file",
    )
    repaint: BoolProperty(
        name="Start from Colours",
        description="Paint over the scene's colours instead of from noise alone",
    )
    pattern_ground: BoolProperty(
        name="Pattern on the Ground",
        description="The ground that things stand on wears the prompt's pattern, too",
    )
    object_prompts: BoolProperty(
        name="Their Own Prompts",
        description="Objects that have a prompt or LoRAs of their own are painted by them; each "
        "takes about as long as the picture alone (Stable Diffusion 1.5, 2 and XL)",
    )
    strength: FloatProperty(
        name="Strength",
        default=_DEFAULTS.strength,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How far to leave the scene's colours: 0 keeps them, 1 ignores them",
    )
    repaint_prompt: StringProperty(
        name="What Is to Be There",
        description="What Repaint Here, Enlarge and Beyond the Edges paint; empty: the words that "
        "the picture was painted by",
    )
    repaint_strength: FloatProperty(
        name="Strength",
        default=1.0,
        min=0.05,
        max=1.0,
        subtype="FACTOR",
        description="Of Repaint Here: how far to go from what is there; 1 paints it anew",
    )
    outpaint_part: FloatProperty(
        name="How Far",
        default=0.25,
        min=0.05,
        max=1.0,
        subtype="FACTOR",
        description="How far beyond the edge to paint, as a part of the picture's side",
    )
    to_background: BoolProperty(
        name="Show behind Camera",
        description="Show each painting in the camera's view as soon as it is there",
    )
    show_preview: BoolProperty(
        name="Preview in Viewport",
        default=True,
        description="Draw the picture over the viewport while it is painted",
    )
    live_opacity: FloatProperty(
        name="Opacity",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How much the live picture covers the viewport",
        update=_seen_otherwise,
    )
    live_wipe: FloatProperty(
        name="Wipe",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How far the live picture reaches from the left; the scene is seen beside it",
        update=_seen_otherwise,
    )
    results: CollectionProperty(
        type=UnderpaintResult, options={"HIDDEN"}, description="What was painted for this scene"
    )
    active_result: IntProperty(options={"HIDDEN"}, description="Which of them is chosen")


for _default in _DEFAULTS.controls:
    UnderpaintSettings.__annotations__.update(control_properties(_default))

CLASSES = (
    UnderpaintLora,
    UnderpaintReference,
    UnderpaintRegion,
    UnderpaintResult,
    UnderpaintSettings,
)


def read_settings(group: Any, pictures: Buffers | None = None) -> ImageSettings:
    """The plain settings of a `scene.underpaint`. `pictures`: takes in the images that they name;
    without it they are left out."""
    return ImageSettings(
        **read_painting(group),
        **read(group, _PLAIN),
        **read_own(group, _OWN),
        references=read_references(group, pictures),
        regions=read_regions(group, pictures),
        left_alone=left_alone(group.id_data),
        model_controls=group.model_controls,
        controls=tuple(read_control(group, kind, pictures) for kind in PANEL_CONTROLS),
    )


def left_alone(scene: Any) -> tuple[str, ...]:
    """The full names of the scene's objects that are not to be painted."""
    return tuple(sorted(item.name_full for item in scene.objects if item.underpaint_leave))


def write_settings(group: Any, settings: ImageSettings, pictures: Buffers | None = None) -> None:
    """Put plain settings into a `scene.underpaint`. `pictures`: those that they name, which become
    images; without it the group's stay."""
    write_painting(group, settings)
    write(group, settings, _PLAIN)
    write_own(group, settings, _OWN)
    for control in settings.controls:
        write_control(group, control, pictures)
    group.model_controls = settings.model_controls
    write_references(group, settings.references, pictures)
    if pictures is not None:
        write_regions(group, settings.regions, pictures)


def register() -> None:
    for cls in CLASSES:
        register_class(cls)
    bpy.types.Scene.underpaint = PointerProperty(type=UnderpaintSettings)


def unregister() -> None:
    del bpy.types.Scene.underpaint
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
