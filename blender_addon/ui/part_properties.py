"""What not every model can do: references, parts of the picture, a second model."""

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

from underpaint.buffers import Buffers, Kind
from underpaint.requests import Prompt, Reference, Refiner, RegionPrompt

from ..image.pictures import mask_image, taken
from ..link import runtime
from ..plain.painting_settings import PaintingSettings, tidy
from .model_defaults import can


def finishing_models(_self: Any, _context: Any, _text: str) -> list[str]:
    """What the second model's field offers: those that can begin from a picture."""
    return [record.name for record in runtime.live().session.model_records if can(record, "image")]


class UnderpaintRegion(bpy.types.PropertyGroup):
    """One part of the list."""

    prompt: StringProperty(
        name="Prompt", description="What is to be painted where this part's mask is white"
    )
    mask: PointerProperty(
        name="Mask",
        type=bpy.types.Image,
        description="White where the words hold, grey partly, black where not",
    )
    weight: FloatProperty(
        name="Weight",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How far these words take the place of the others there",
    )
    enabled: BoolProperty(name="On", default=True, description="Paint this part by its own words")


class ReferenceProperties:
    """A mixin for the settings of both tabs."""

    reference: PointerProperty(
        name="Reference",
        type=bpy.types.Image,
        description="Take over this picture's look: colours, material, manner (models with an "
        "IP-Adapter)",
    )
    reference_model: StringProperty(
        name="IP-Adapter",
        subtype="FILE_PATH",
        description="An IP-Adapter of your own, a folder or file; empty takes the model's, or one "
        "that fits",
    )
    reference_scale: FloatProperty(
        name="Weight",
        default=Reference().scale,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How much of the reference's look to take over",
    )


class PartProperties:
    """A mixin for the Image tab's settings."""

    regions: CollectionProperty(
        type=UnderpaintRegion, options={"HIDDEN"}, description="The parts that have their own words"
    )
    active_region: IntProperty(options={"HIDDEN"}, description="Which part of the list is chosen")
    image_guidance: FloatProperty(
        name="Image Guidance",
        min=0.0,
        max=50.0,
        description="How closely to keep to the scene's colours, of models that edit by "
        "instruction. 0: what suits the model",
    )
    refiner: StringProperty(
        name="Finish With",
        description="A second model that paints over each picture at the end, as SDXL's refiner; "
        "empty: none",
        search=finishing_models,
        search_options={"SUGGESTION"},
    )
    refiner_strength: FloatProperty(
        name="Strength",
        default=Refiner("").strength,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How far the second model may leave the picture: 0 keeps it",
    )


def read_regions(group: Any, pictures: Buffers | None) -> tuple[RegionPrompt, ...]:
    """The parts that are on and have words and a mask; masks go into `pictures`, or are left out
    without it. Raises RequestError(FILE) for a picture that marks nothing."""
    return tuple(
        RegionPrompt(
            Prompt(region.prompt.strip(), group.negative),
            pictures.add(Kind.MASK, mask_image(region.mask)) if pictures is not None else None,
            weight=tidy(region.weight),
        )
        for region in group.regions
        if region.enabled and region.mask is not None and region.prompt.strip()
    )


def read_reference(group: Any, pictures: Buffers | None) -> dict[str, Any]:
    """The fields of `PaintingSettings` about the reference; it goes into `pictures`."""
    return {
        "reference": taken(group.reference, pictures),
        "reference_scale": tidy(group.reference_scale),
        "reference_model": bpy.path.abspath(group.reference_model),
    }


def write_reference(group: Any, settings: PaintingSettings) -> None:
    """Put them into a property group; the picture itself is in no file's settings."""
    group.reference_scale, group.reference_model = (
        settings.reference_scale,
        settings.reference_model,
    )
