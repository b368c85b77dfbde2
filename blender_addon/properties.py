"""The settings that are saved with the scene: one PropertyGroup, `scene.underpaint`."""

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

from underpaint.requests import STARTER_MODEL, ControlKind, Sampler

from . import runtime
from .request_builder import PANEL_CONTROLS, ControlSettings, ImageSettings, tidy

MAX_SEED = 2**31 - 1
_BLOCK = 8
_DEFAULTS = ImageSettings()

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
SAMPLERS = tuple((sampler.value, _SAMPLER_NAMES[sampler], "") for sampler in Sampler)
_PLAIN = (
    *("prompt", "negative", "model", "width", "height", "steps", "guidance"),
    *("seed", "repaint", "strength"),
)
_CONTROL_HELP = {
    ControlKind.DEPTH: "Keep the distances of the scene",
    ControlKind.NORMAL: "Keep the directions of the surfaces",
    ControlKind.CANNY: "Keep the edges of the scene's colours",
    ControlKind.LINEART: "Keep the outlines of the forms",
}
_SOURCES = (
    ("CAMERA", "Camera", "Paint what the scene's camera sees"),
    ("VIEWPORT", "Viewport", "Paint what this 3D viewport shows"),
)


_MODES = (
    ("IMAGE", "Image", "Paint pictures of the scene"),
    ("TEXTURE", "Texture", "Paint the objects themselves"),
)


def known_models(_self: Any, _context: Any, _text: str) -> list[str]:
    models = runtime.live().session.models
    return [STARTER_MODEL, *(name for name in models if name != STARTER_MODEL)]


def _snap_size(self: Any, _context: Any) -> None:
    """Models work on blocks of 8 pixels."""
    for name in ("width", "height"):
        value = getattr(self, name)
        if value % _BLOCK:
            setattr(self, name, max(_BLOCK, round(value / _BLOCK)) * _BLOCK)


def _control_properties(default: ControlSettings) -> dict[str, Any]:
    """The four properties of one control: depth_enabled, depth_scale, depth_start, depth_end."""
    part = {"min": 0.0, "max": 1.0, "subtype": "FACTOR"}
    scale = {"min": 0.0, "max": 2.0, "step": 5, "description": "How strongly it guides"}
    properties = {
        "enabled": BoolProperty(
            name=default.kind.value.title(),
            default=default.enabled,
            description=_CONTROL_HELP[default.kind],
        ),
        "scale": FloatProperty(name="Weight", default=default.scale, **scale),
        "start": FloatProperty(
            name="From", default=default.start, description="From this part of the steps", **part
        ),
        "end": FloatProperty(
            name="To", default=default.end, description="Up to this part of the steps", **part
        ),
    }
    return {f"{default.kind.value}_{name}": value for name, value in properties.items()}


class UnderpaintResult(bpy.types.PropertyGroup):
    """An entry of the gallery."""

    image: PointerProperty(type=bpy.types.Image)


class UnderpaintSettings(bpy.types.PropertyGroup):
    """What to paint and how. `mode`: what the panel shows."""

    mode: EnumProperty(name="Paint", items=_MODES, default="IMAGE")
    prompt: StringProperty(name="Prompt", description="What to paint")
    negative: StringProperty(name="Negative", description="What to keep away from")
    model: StringProperty(
        name="Model",
        default=STARTER_MODEL,
        description="A model's name, or a diffusers-format folder",
        search=known_models,
        search_options={"SUGGESTION"},
    )
    source: EnumProperty(name="View", items=_SOURCES, default="CAMERA")
    width: IntProperty(
        name="Width",
        default=_DEFAULTS.width,
        min=64,
        max=4096,
        subtype="PIXEL",
        update=_snap_size,
    )
    height: IntProperty(
        name="Height",
        default=_DEFAULTS.height,
        min=64,
        max=4096,
        subtype="PIXEL",
        update=_snap_size,
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
        name="Seed", default=0, min=0, max=MAX_SEED, description="Same seed, same image"
    )
    random_seed: BoolProperty(name="New Seed", description="Take a new seed for each image")
    repaint: BoolProperty(
        name="Start from Colours",
        description="Paint over the scene's colours instead of from noise alone",
    )
    strength: FloatProperty(
        name="Strength",
        default=_DEFAULTS.strength,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="0 keeps the scene's colours, 1 ignores them",
    )
    to_background: BoolProperty(
        name="Show behind Camera",
        description="Set each result as the camera's background image",
    )
    show_preview: BoolProperty(
        name="Preview in Viewport",
        default=True,
        description="Draw the picture over the viewport while it is painted",
    )
    results: CollectionProperty(type=UnderpaintResult)
    active_result: IntProperty()


for _default in _DEFAULTS.controls:
    UnderpaintSettings.__annotations__.update(_control_properties(_default))

CLASSES = (UnderpaintResult, UnderpaintSettings)


def read_settings(group: Any) -> ImageSettings:
    """The plain settings of a `scene.underpaint`."""
    return ImageSettings(
        prompt=group.prompt,
        negative=group.negative,
        model=group.model,
        width=group.width,
        height=group.height,
        steps=group.steps,
        guidance=tidy(group.guidance),
        sampler=Sampler(group.sampler),
        seed=group.seed,
        repaint=group.repaint,
        strength=tidy(group.strength),
        controls=tuple(_read_control(group, kind) for kind in PANEL_CONTROLS),
    )


def write_settings(group: Any, settings: ImageSettings) -> None:
    """Put plain settings into a `scene.underpaint`."""
    for name in _PLAIN:
        setattr(group, name, getattr(settings, name))
    group.sampler = settings.sampler.value
    for control in settings.controls:
        for name in ("enabled", "scale", "start", "end"):
            setattr(group, f"{control.kind.value}_{name}", getattr(control, name))


def _read_control(group: Any, kind: ControlKind) -> ControlSettings:
    def value(name: str) -> Any:
        return getattr(group, f"{kind.value}_{name}")

    return ControlSettings(
        kind, value("enabled"), tidy(value("scale")), tidy(value("start")), tidy(value("end"))
    )


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.underpaint = PointerProperty(type=UnderpaintSettings)


def unregister() -> None:
    del bpy.types.Scene.underpaint
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
