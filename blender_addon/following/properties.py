"""The rows of controls as properties of the scene's settings, and back."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, PointerProperty, StringProperty

from underpaint.buffers import Buffers
from underpaint.requests import ControlKind

from ..image.again import image_again
from ..image.pictures import taken
from ..plain.painting_settings import tidy
from .kinds import ControlSettings

_PARTS = ("enabled", "scale", "start", "end", "model")
NAMES = {
    ControlKind.SOFTEDGE: "Soft Edges",
    ControlKind.SEGMENT: "Segments",
    ControlKind.OPENPOSE: "Pose",
    ControlKind.MLSD: "Straight Lines",
}
"""Where the field's own name is no word."""
_HELP = {
    ControlKind.DEPTH: "Keep what is near and what is far in the scene",
    ControlKind.NORMAL: "Keep which way the surfaces of the scene face: folds and edges",
    ControlKind.GUIDE: "Keep patterns, such as bricks, in their place on the surfaces",
    ControlKind.CANNY: "Keep the edges of the scene's colours",
    ControlKind.LINEART: "Keep the outlines of the forms",
    ControlKind.SOFTEDGE: "Keep outlines and folds, softly: small forms may change",
    ControlKind.SCRIBBLE: "Keep the large outlines only, as of a quick sketch: the rest is free",
    ControlKind.SEGMENT: "Keep which object is where: each is one flat colour for the model",
    ControlKind.TILE: "Keep the scene's colours and large forms, and paint detail into them",
    ControlKind.SHUFFLE: "Take over the scene's colours, wherever they are in it",
    ControlKind.OPENPOSE: "Keep the pose of a person: where head, arms and legs are",
    ControlKind.MLSD: "Keep straight lines, as of rooms and houses, from an image of them",
}


def name_of(kind: ControlKind) -> str:
    """What a row is called, in English."""
    return NAMES.get(kind, kind.value.title())


def control_properties(default: ControlSettings) -> dict[str, Any]:
    """The properties of one control: depth_enabled, depth_scale, depth_start, depth_end,
    depth_model, depth_image, and whether its row is unfolded, depth_open."""
    properties = {
        "enabled": BoolProperty(
            name=name_of(default.kind),
            default=default.enabled,
            description=_HELP[default.kind],
            update=_by_hand,
        ),
        **_control_numbers(default),
        **_control_sources(),
        "open": BoolProperty(name="More", description="When it counts, and what it is read from"),
    }
    return {f"{default.kind.value}_{name}": value for name, value in properties.items()}


def _control_numbers(default: ControlSettings) -> dict[str, Any]:
    part = {"min": 0.0, "max": 1.0, "subtype": "FACTOR", "update": _by_hand}
    return {
        "scale": FloatProperty(
            name="Weight",
            default=default.scale,
            min=0.0,
            max=2.0,
            step=5,
            description="How strongly the picture keeps to it: 0 not at all; above 1 stiffly",
            update=_by_hand,
        ),
        "start": FloatProperty(
            name="From",
            default=default.start,
            description="From this part of the steps on; later leaves the large forms free",
            **part,
        ),
        "end": FloatProperty(
            name="To",
            default=default.end,
            description="Up to this part of the steps; earlier leaves the details free",
            **part,
        ),
    }


def _control_sources() -> dict[str, Any]:
    return {
        "model": StringProperty(
            name="ControlNet",
            subtype="FILE_PATH",
            description="A ControlNet of your own, a folder or file; empty takes the model's",
            update=_by_hand,
        ),
        "image": PointerProperty(
            name="From Image",
            type=bpy.types.Image,
            description="Follow this picture in place of what the view shows",
            update=_by_hand,
        ),
    }


def read_control(group: Any, kind: ControlKind, pictures: Buffers | None) -> ControlSettings:
    """One control's row; its picture goes into `pictures`."""
    names = [f"{kind.value}_{part}" for part in _PARTS]
    values = {name: getattr(group, name) for name in names}
    enabled, scale, start, end, model = (
        tidy(value) if isinstance(value, float) else value for value in values.values()
    )
    image = getattr(group, f"{kind.value}_image") if enabled else None
    found = taken(image, pictures)
    return ControlSettings(kind, enabled, scale, start, end, bpy.path.abspath(model), found)


def write_control(group: Any, control: ControlSettings, pictures: Buffers | None) -> None:
    """Put one into its row. `pictures`: where its picture is; without it that stays."""
    kind = control.kind.value
    for part in _PARTS:
        setattr(group, f"{kind}_{part}", getattr(control, part))
    if pictures is not None:
        present = getattr(group, f"{kind}_image")
        setattr(
            group,
            f"{kind}_image",
            image_again(control.image, pictures, present, name_of(control.kind)),
        )


def _by_hand(self: Any, _context: Any) -> None:
    """What the artist touches is what is followed."""
    self.model_controls = False
