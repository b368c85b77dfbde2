"""The properties of `PaintingSettings`, which both tabs of the panel save with the scene."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

import random
from collections.abc import Iterable
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

from underpaint.requests import STARTER_MODEL, Sampler
from underpaint.requests.curves import curve_text

from ..link import runtime
from ..parts.own import read_loras
from ..parts.written import write_loras
from ..plain.painting_settings import PaintingSettings, tidy
from .curves import CURVE_FORM, curve_in, known_curves, read_curve
from .model_defaults import MODELS_OWN

MAX_SEED = 2**31 - 1
_DEFAULTS = PaintingSettings()
_PLAIN = ("prompt", "negative", "model", "seed", "strength", "pattern_seed")
_OWN = ("steps", "guidance", "pattern_size")
_SAMPLER_WORDS = {
    Sampler.DDPM: ("DDPM", "As models are trained: it needs many steps"),
    Sampler.DDIM: ("DDIM", "Plain and calm, without noise on the way"),
    Sampler.EULER: ("Euler", "Soft and dependable, from 20 steps on"),
    Sampler.EULER_A: (
        "Euler ancestral",
        "Lively: new noise at each step, so that other steps paint another picture",
    ),
    Sampler.DPMPP_2M: ("DPM++ 2M", "Sharp from 15 steps on"),
    Sampler.DPMPP_2M_KARRAS: ("DPM++ 2M Karras", "Sharp from 15 steps on, with finer details"),
    Sampler.DPMPP_2M_SDE: ("DPM++ 2M SDE", "Rich in texture: new noise at each step"),
    Sampler.DPMPP_2M_SDE_KARRAS: (
        "DPM++ 2M SDE Karras",
        "Rich in texture and in fine details, from 25 steps on",
    ),
    Sampler.UNIPC: ("UniPC", "A whole picture from 10 steps on"),
    Sampler.LCM: ("LCM", "In 4 to 8 steps, with models made for that; others blur"),
}
_SAMPLERS = (
    (MODELS_OWN, "Model's Own", "As it suits the model best"),
    *((sampler.value, *_SAMPLER_WORDS[sampler]) for sampler in Sampler),
)


def known_models(_self: Any, _context: Any, _text: str) -> list[str]:
    """What the model field offers: the starter model, then what the daemon has."""
    models = runtime.live().session.models
    return [STARTER_MODEL, *(name for name in models if name != STARTER_MODEL)]


class UnderpaintLora(bpy.types.PropertyGroup):
    """One LoRA of the list."""

    path: StringProperty(
        name="LoRA",
        subtype="FILE_PATH",
        description="A LoRA file (.safetensors), or the name of one that the model brings",
    )
    weight: FloatProperty(
        name="Weight",
        default=1.0,
        min=-2.0,
        max=2.0,
        step=5,
        description="How strongly it changes the picture; 0 not at all, below 0 the other way",
    )
    enabled: BoolProperty(name="On", default=True, description="Paint with this LoRA")
    curve: StringProperty(
        name="Over Steps",
        description="How the weight changes from the first step to the last: " + CURVE_FORM,
        search=known_curves,
        search_options={"SUGGESTION"},
        update=read_curve("curve"),
    )


class PaintingProperties:
    """A mixin for property groups, which add `prompt` and `strength` in their own words."""

    negative: StringProperty(
        name="Negative",
        description="What the picture should not show; it needs a guidance above 1 to count",
    )
    prompt_text: PointerProperty(
        type=bpy.types.Text,
        options={"HIDDEN"},
        description="The Text in which the prompt is written, if it is",
    )
    negative_text: PointerProperty(
        type=bpy.types.Text,
        options={"HIDDEN"},
        description="The Text in which the negative is written, if it is",
    )
    loras: CollectionProperty(
        type=UnderpaintLora, options={"HIDDEN"}, description="The LoRAs to paint with"
    )
    active_lora: IntProperty(options={"HIDDEN"}, description="Which LoRA of the list is chosen")
    model: StringProperty(
        name="Model",
        default=_DEFAULTS.model,
        description="What paints: a model's name, folder or file. Each has a manner of its own",
        search=known_models,
        search_options={"SUGGESTION"},
    )
    steps: IntProperty(
        name="Steps",
        min=0,
        max=150,
        description="In how many steps to paint: more take longer. 0: as many as suit the model",
    )
    guidance: FloatProperty(
        name="Guidance",
        min=0.0,
        max=30.0,
        description="How closely to follow the prompt: low is loose and soft, high is literal "
        "and harsh; 1 is off, and then Negative does not count. 0: what suits the model",
    )
    guidance_curve: StringProperty(
        name="Over Steps",
        description="How guidance changes from the first step to the last: " + CURVE_FORM,
        search=known_curves,
        search_options={"SUGGESTION"},
        update=read_curve("guidance_curve"),
    )
    sampler: EnumProperty(
        name="Sampler",
        items=_SAMPLERS,
        default=MODELS_OWN,
        description="By which method to go from noise to picture: LCM is for models that paint "
        "in few steps, DPM++ 2M Karras suits most others",
    )
    seed: IntProperty(
        name="Seed",
        default=0,
        min=0,
        max=MAX_SEED,
        description="Another number gives another picture of the same; the same gives it again",
    )
    pattern_size: FloatProperty(
        name="Pattern Size",
        min=0.0,
        soft_max=2.0,
        step=1,
        precision=3,
        unit="LENGTH",
        description="How large patterns are: the height of a course of bricks. 0: by the size of "
        "what is painted",
    )
    pattern_seed: IntProperty(
        name="Pattern Seed",
        min=0,
        max=MAX_SEED,
        description="Another number moves the pattern on the surface",
    )
    random_seed: BoolProperty(
        name="New Seed", description="Take a new seed for each painting, so that each is another"
    )


def read_painting(group: Any) -> dict[str, Any]:
    """The fields of `PaintingSettings` by name, from a property group."""
    sampler = None if group.sampler == MODELS_OWN else Sampler(group.sampler)
    plain = {**read(group, _PLAIN), **read_own(group, _OWN)}
    curve = curve_in(group, "guidance_curve")
    return {**plain, "sampler": sampler, "loras": read_loras(group.loras), "guidance_curve": curve}


def write_painting(group: Any, settings: PaintingSettings) -> None:
    """Put what both tabs ask for into a property group."""
    write(group, settings, _PLAIN)
    write_own(group, settings, _OWN)
    group.sampler = settings.sampler or MODELS_OWN
    group.guidance_curve = curve_text(settings.guidance_curve)
    write_loras(group.loras, settings.loras)


def shown_settings(scene: Any) -> Any:
    """The settings of the tab that the panel shows."""
    image = scene.underpaint
    return image if image.mode == "IMAGE" else scene.underpaint_texture


def read(group: Any, names: Iterable[str]) -> dict[str, Any]:
    """Properties by name."""
    values = {name: getattr(group, name) for name in names}
    return {name: tidy(v) if isinstance(v, float) else v for name, v in values.items()}


def write(group: Any, settings: PaintingSettings, names: Iterable[str]) -> None:
    """Set properties from the settings' fields of the same names."""
    for name in names:
        setattr(group, name, getattr(settings, name))


def read_own(group: Any, names: Iterable[str]) -> dict[str, Any]:
    """Properties of which 0 means the model's own, as None."""
    return {name: value or None for name, value in read(group, names).items()}


def write_own(group: Any, settings: PaintingSettings, names: Iterable[str]) -> None:
    """Set such properties."""
    for name in names:
        setattr(group, name, getattr(settings, name) or 0)


def choose_seed(group: Any) -> None:
    """Take a new seed if the artist wants one for each painting; it shows in the panel."""
    if group.random_seed:
        group.seed = new_seed()


def new_seed() -> int:
    """Any seed that the panel can hold."""
    return random.randint(0, MAX_SEED)
