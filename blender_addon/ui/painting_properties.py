"""The properties of `PaintingSettings`, which both tabs of the panel save with the scene."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

import random
from collections.abc import Iterable
from typing import Any

from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from underpaint.requests import STARTER_MODEL, Sampler

from ..link import runtime
from ..plain.painting_settings import PaintingSettings, tidy

MAX_SEED = 2**31 - 1
_DEFAULTS = PaintingSettings()
_PLAIN = ("prompt", "negative", "model", "steps", "guidance", "seed", "strength")
_SAMPLER_NAMES = {
    Sampler.DDPM: "DDPM",
    Sampler.DDIM: "DDIM",
    Sampler.EULER: "Euler",
    Sampler.EULER_A: "Euler ancestral",
    Sampler.DPMPP_2M: "DPM++ 2M",
    Sampler.DPMPP_2M_KARRAS: "DPM++ 2M Karras",
    Sampler.DPMPP_2M_SDE: "DPM++ 2M SDE",
    Sampler.DPMPP_2M_SDE_KARRAS: "DPM++ 2M SDE Karras",
    Sampler.UNIPC: "UniPC",
    Sampler.LCM: "LCM",
}
_SAMPLERS = tuple((sampler.value, _SAMPLER_NAMES[sampler], "") for sampler in Sampler)


def known_models(_self: Any, _context: Any, _text: str) -> list[str]:
    """What the model field offers: the starter model, then what the daemon has."""
    models = runtime.live().session.models
    return [STARTER_MODEL, *(name for name in models if name != STARTER_MODEL)]


class PaintingProperties:
    """A mixin for property groups, which add `prompt` and `strength` in their own words."""

    negative: StringProperty(name="Negative", description="What to keep away from")
    model: StringProperty(
        name="Model",
        default=_DEFAULTS.model,
        description="A model's name, or a diffusers-format folder",
        search=known_models,
        search_options={"SUGGESTION"},
    )
    steps: IntProperty(
        name="Steps",
        default=_DEFAULTS.steps,
        min=1,
        max=150,
        description="In how many steps to paint: more take longer, and models differ in what "
        "they need",
    )
    guidance: FloatProperty(
        name="Guidance",
        default=_DEFAULTS.guidance,
        min=1.0,
        max=30.0,
        description="How closely to follow the prompt; 1 is off",
    )
    sampler: EnumProperty(
        name="Sampler",
        items=_SAMPLERS,
        default=_DEFAULTS.sampler.value,
        description="By which method to go from noise to picture",
    )
    seed: IntProperty(
        name="Seed", default=0, min=0, max=MAX_SEED, description="Same seed, same painting"
    )
    random_seed: BoolProperty(name="New Seed", description="Take a new seed for each painting")


def read_painting(group: Any) -> dict[str, Any]:
    """The fields of `PaintingSettings` by name, from a property group."""
    return {**read(group, _PLAIN), "sampler": Sampler(group.sampler)}


def write_painting(group: Any, settings: PaintingSettings) -> None:
    """Put what both tabs ask for into a property group."""
    write(group, settings, _PLAIN)
    group.sampler = settings.sampler.value


def read(group: Any, names: Iterable[str]) -> dict[str, Any]:
    """Properties by name."""
    values = {name: getattr(group, name) for name in names}
    return {name: tidy(v) if isinstance(v, float) else v for name, v in values.items()}


def write(group: Any, settings: PaintingSettings, names: Iterable[str]) -> None:
    """Set properties from the settings' fields of the same names."""
    for name in names:
        setattr(group, name, getattr(settings, name))


def choose_seed(group: Any) -> None:
    """Take a new seed if the artist wants one for each painting; it shows in the panel."""
    if group.random_seed:
        group.seed = new_seed()


def new_seed() -> int:
    """Any seed that the panel can hold."""
    return random.randint(0, MAX_SEED)
