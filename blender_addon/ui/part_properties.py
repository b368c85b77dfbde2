"""What not every model can do: controls, references, parts of the picture, a second model."""

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

from underpaint.buffers import Buffers, Kind
from underpaint.requests import (
    HANDOFF,
    Prompt,
    Reference,
    ReferenceRole,
    Refiner,
    RegionPrompt,
)

from ..image.again import image_again
from ..image.pictures import mask_image, taken
from ..link import runtime
from ..parts.own import read_loras
from ..parts.written import write_loras
from ..plain.painting_settings import tidy
from .model_defaults import can
from .painting_properties import UnderpaintLora

_ROLES = (
    (ReferenceRole.STYLE.value, "Style", "Its look: colours, material, manner"),
    (ReferenceRole.SUBJECT.value, "Subject", "What it shows is to be in the picture"),
    (ReferenceRole.COLOR.value, "Colours", "Where which colour lies, as a draft of the picture"),
    (ReferenceRole.SKETCH.value, "Sketch", "Its lines are to become the picture"),
    (ReferenceRole.DEPTH.value, "Depth", "Near is bright, far is dark: the form of the scene"),
    (ReferenceRole.NORMAL.value, "Normals", "Which way surfaces face, as colours"),
)


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
    loras: CollectionProperty(
        type=UnderpaintLora,
        options={"HIDDEN"},
        description="The LoRAs that act where this part's mask is white, and nowhere else",
    )
    enabled: BoolProperty(name="On", default=True, description="Paint this part by its own words")


class UnderpaintReference(bpy.types.PropertyGroup):
    """One reference picture of the list."""

    image: PointerProperty(
        name="Picture", type=bpy.types.Image, description="The picture that the model is to read"
    )
    role: EnumProperty(
        name="For",
        items=_ROLES,
        default=ReferenceRole.STYLE.value,
        description="What the picture is there for",
    )
    scale: FloatProperty(
        name="Weight",
        default=Reference().scale,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How much of it to take over; models that edit read pictures whole",
    )
    start: FloatProperty(
        name="From",
        default=Reference().start,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="From this part of the steps on; later leaves the large forms free",
    )
    end: FloatProperty(
        name="To",
        default=Reference().end,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="Up to this part of the steps; earlier leaves the details free",
    )
    fidelity: FloatProperty(
        name="Fidelity",
        default=Reference().fidelity,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How closely to keep to the picture where the model looks at it without an "
        "IP-Adapter, with a guidance above 1",
    )
    model: StringProperty(
        name="IP-Adapter",
        subtype="FILE_PATH",
        description="An IP-Adapter of your own, a folder or file; empty takes the model's, or one "
        "that fits, else the model looks at the picture itself, as with: attention",
    )
    enabled: BoolProperty(name="On", default=True, description="Show the model this picture")


class ReferenceProperties:
    """A mixin for the settings of both tabs."""

    references: CollectionProperty(
        type=UnderpaintReference,
        options={"HIDDEN"},
        description="The pictures that the model reads beside the words",
    )
    active_reference: IntProperty(
        options={"HIDDEN"}, description="Which picture of the list is chosen"
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
    refiner_hands_over: BoolProperty(
        name="Hand Over",
        description="The second model takes the picture over before the noise is out, as SDXL's "
        "refiner was made for, and does not paint over the finished picture. For pictures that "
        "begin from words alone",
    )
    refiner_handoff: FloatProperty(
        name="At",
        default=HANDOFF,
        min=0.01,
        max=0.99,
        subtype="FACTOR",
        description="The part of the noise after which the second model takes over",
    )


def read_regions(group: Any, pictures: Buffers | None) -> tuple[RegionPrompt, ...]:
    """The parts that are on and have a mask, and words or LoRAs; masks go into `pictures`, or are
    left out without it. Raises RequestError(FILE) for a picture that marks nothing."""
    return tuple(
        RegionPrompt(
            Prompt(region.prompt.strip(), group.negative),
            pictures.add(Kind.MASK, mask_image(region.mask)) if pictures is not None else None,
            weight=tidy(region.weight),
            loras=read_loras(region.loras),
        )
        for region in group.regions
        if region.enabled
        and region.mask is not None
        and (region.prompt.strip() or read_loras(region.loras))
    )


def read_references(group: Any, pictures: Buffers | None) -> tuple[Reference, ...]:
    """The pictures that are on, put into `pictures`; none without it. Raises RequestError(FILE)."""
    return tuple(
        Reference(
            ReferenceRole(item.role),
            taken(item.image, pictures),
            tidy(item.scale),
            bpy.path.abspath(item.model) or None,
            *(tidy(value) for value in (item.start, item.end, item.fidelity)),
        )
        for item in group.references
        if item.enabled and item.image is not None and pictures is not None
    )


def write_references(
    group: Any, references: tuple[Reference, ...], pictures: Buffers | None
) -> None:
    """Make these the list's pictures. `pictures`: where they are; without it the list stays."""
    if pictures is None:
        return
    before = [item.image for item in group.references]
    group.references.clear()
    for number, one in enumerate(references):
        item = group.references.add()
        item.role, item.scale, item.model = one.role.value, one.scale, one.model or ""
        item.start, item.end, item.fidelity = one.start, one.end, one.fidelity
        present = before[number] if number < len(before) else None
        item.image = image_again(one.image, pictures, present, "Reference")


def write_regions(group: Any, regions: tuple[RegionPrompt, ...], pictures: Buffers) -> None:
    """Make these the list's parts."""
    before = [region.mask for region in group.regions]
    group.regions.clear()
    for number, region in enumerate(regions):
        item, words = group.regions.add(), region.prompt.text
        item.prompt, item.weight = words, region.weight
        write_loras(item.loras, region.loras)
        present = before[number] if number < len(before) else None
        item.mask = image_again(region.mask, pictures, present, words)
