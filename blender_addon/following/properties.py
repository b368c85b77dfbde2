"""The rows of controls as properties of the scene's settings, and back."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty, StringProperty

from underpaint.buffers import Buffers
from underpaint.requests import ControlKind

from ..image.again import image_again
from ..image.pictures import taken
from ..plain.painting_settings import tidy
from .kinds import SOURCES, ControlSettings, ControlSource

_PARTS = ("enabled", "scale", "start", "end", "model")
NAMES = {
    ControlKind.SOFTEDGE: "Soft Edges",
    ControlKind.SEGMENT: "Segments",
    ControlKind.OPENPOSE: "Pose",
    ControlKind.MLSD: "Straight Lines",
}
"""Where the field's own name is no word."""
_SOURCES = {
    ControlSource.VIEW: ("This View", "What the view shows"),
    ControlSource.OBJECTS: ("Objects", "The silhouette of chosen objects in this view"),
    ControlSource.ARMATURE: ("Armature", "The pose of armatures in this view, by their bones"),
    ControlSource.STROKES: ("Annotations", "What is drawn into this view with the Annotate tool"),
    ControlSource.IMAGE: ("Image", "A picture of yours"),
}
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
    depth_model, depth_source, depth_image and what else it can be drawn from, and whether its row
    is unfolded, depth_open."""
    properties = {
        "enabled": BoolProperty(
            name=name_of(default.kind),
            default=default.enabled,
            description=_HELP[default.kind],
            update=_by_hand,
        ),
        **_control_numbers(default),
        **_sources(default.kind),
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


def _sources(kind: ControlKind) -> dict[str, Any]:
    """Its network, where its picture comes from, and what is drawn for it."""
    can = SOURCES[kind]
    return {
        "model": StringProperty(
            name="ControlNet",
            subtype="FILE_PATH",
            description="A ControlNet of your own, a folder or file; empty takes the model's",
            update=_by_hand,
        ),
        "source": EnumProperty(
            name="Read From",
            items=[(source.value, *_SOURCES[source]) for source in can],
            default=can[0].value,
            description="Where its picture comes from",
            update=_by_hand,
        ),
        "image": PointerProperty(
            name="From Image",
            type=bpy.types.Image,
            description="Follow this picture in place of what the view shows",
            update=_to_image(kind),
        ),
        **(_silhouettes() if ControlSource.OBJECTS in can else {}),
        **(_pose() if ControlSource.ARMATURE in can else {}),
    }


def _silhouettes() -> dict[str, Any]:
    return {
        "object": PointerProperty(
            name="Object",
            type=bpy.types.Object,
            description="The object whose silhouette is followed",
            update=_by_hand,
        ),
        "collection": PointerProperty(
            name="Collection",
            type=bpy.types.Collection,
            description="The collection whose objects' silhouettes are followed",
            update=_by_hand,
        ),
    }


def _pose() -> dict[str, Any]:
    return {
        "armature": PointerProperty(
            name="Armature",
            type=bpy.types.Object,
            poll=lambda _self, item: item.type == "ARMATURE",
            description="The armature whose pose is followed; empty: every one that is shown",
            update=_by_hand,
        )
    }


def read_control(group: Any, kind: ControlKind, pictures: Buffers | None) -> ControlSettings:
    """One control's row; its picture goes into `pictures`."""
    values = [getattr(group, f"{kind.value}_{part}") for part in _PARTS]
    enabled, scale, start, end, model = (
        tidy(value) if isinstance(value, float) else value for value in values
    )
    source, image = _read_source(group, kind)
    found = taken(image, pictures) if enabled else None
    model = bpy.path.abspath(model)
    return ControlSettings(
        *(kind, enabled, scale, start, end, model, found), source, _shows(group, kind, source)
    )


def write_control(group: Any, control: ControlSettings, pictures: Buffers | None) -> None:
    """Put one into its row. `pictures`: where its picture is; without it that stays."""
    kind = control.kind.value
    for part in _PARTS:
        setattr(group, f"{kind}_{part}", getattr(control, part))
    if pictures is not None:
        present = getattr(group, f"{kind}_image")
        name = name_of(control.kind)
        setattr(group, f"{kind}_image", image_again(control.image, pictures, present, name))
    setattr(group, f"{kind}_source", control.read_from.value)


def _read_source(group: Any, kind: ControlKind) -> tuple[ControlSource, Any]:
    """Where a row's picture comes from, and that picture, if it is one. An image that is not there
    (any more) leaves the view, where the kind can be read from one."""
    source = ControlSource(getattr(group, f"{kind.value}_source"))
    image = getattr(group, f"{kind.value}_image")
    if source is not ControlSource.IMAGE:
        return source, None
    if image is None and ControlSource.VIEW in SOURCES[kind]:
        return ControlSource.VIEW, None
    return source, image


def _shows(group: Any, kind: ControlKind, source: ControlSource) -> tuple[str, ...]:
    """The full names of what is drawn."""
    if source is ControlSource.ARMATURE:
        item = getattr(group, f"{kind.value}_armature")
        return () if item is None else (item.name_full,)
    if source is not ControlSource.OBJECTS:
        return ()
    item, collection = (getattr(group, f"{kind.value}_{n}") for n in ("object", "collection"))
    of_collection = [] if collection is None else list(collection.all_objects)
    every = [*of_collection, *([] if item is None else [item])]
    return tuple(sorted({one.name_full for one in every}))


def _by_hand(self: Any, _context: Any) -> None:
    """What the artist touches is what is followed."""
    self.model_controls = False


def _to_image(kind: ControlKind) -> Any:
    """A picture that is chosen is followed."""

    def update(self: Any, context: Any) -> None:
        _by_hand(self, context)
        if getattr(self, f"{kind.value}_image") is not None:
            setattr(self, f"{kind.value}_source", ControlSource.IMAGE.value)

    return update
