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

from underpaint.requests import ControlKind

from ..image.request import PANEL_CONTROLS, ControlSettings, ImageSettings
from .painting_properties import (
    PaintingProperties,
    read,
    read_own,
    read_painting,
    write,
    write_own,
    write_painting,
)

_BLOCK = 8
_LEAST_SIDE = 64
_DEFAULTS = ImageSettings()
_PLAIN = ("repaint",)
_OWN = ("width", "height")
_CONTROL_PARTS = ("enabled", "scale", "start", "end")
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


def _snap_size(self: Any, _context: Any) -> None:
    """Models work on blocks of 8 pixels."""
    for name in ("width", "height"):
        value = getattr(self, name)
        if value % _BLOCK or 0 < value < _LEAST_SIDE:
            setattr(self, name, max(_LEAST_SIDE, round(value / _BLOCK) * _BLOCK))


def _side(name: str) -> Any:
    told = "Pixels; 0: what the model was made for"
    return IntProperty(
        name=name, min=0, max=4096, subtype="PIXEL", update=_snap_size, description=told
    )


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


class UnderpaintSettings(PaintingProperties, bpy.types.PropertyGroup):
    """What to paint and how. `mode`: what the panel shows."""

    mode: EnumProperty(name="Paint", items=_MODES, default="IMAGE")
    prompt: StringProperty(name="Prompt", description="What to paint")
    source: EnumProperty(name="View", items=_SOURCES, default="CAMERA")
    width: _side("Width")
    height: _side("Height")
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
        **read_painting(group),
        **read(group, _PLAIN),
        **read_own(group, _OWN),
        controls=tuple(_read_control(group, kind) for kind in PANEL_CONTROLS),
    )


def write_settings(group: Any, settings: ImageSettings) -> None:
    """Put plain settings into a `scene.underpaint`."""
    write_painting(group, settings)
    write(group, settings, _PLAIN)
    write_own(group, settings, _OWN)
    for control in settings.controls:
        for part in _CONTROL_PARTS:
            setattr(group, f"{control.kind.value}_{part}", getattr(control, part))


def _read_control(group: Any, kind: ControlKind) -> ControlSettings:
    names = [f"{kind.value}_{part}" for part in _CONTROL_PARTS]
    return ControlSettings(kind, *read(group, names).values())


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.underpaint = PointerProperty(type=UnderpaintSettings)


def unregister() -> None:
    del bpy.types.Scene.underpaint
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
