"""From selected objects and the panel's settings to a texture job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.files.inputs import load_inputs
from underpaint.files.viewfile import SceneObject
from underpaint.requests import Mirror, TextureRequest, View
from underpaint.tree import from_json

from ..capture import Viewport, capture_view, object_ids
from ..capture.sources import as_matrix
from ..layers import existing
from ..link.marks import REQUEST_KEY, TARGET_KEY
from ..link.runtime import native_side
from ..parts.own import own_of
from ..plain.surfaces import Target, target_from_json
from .request import Purpose, Scene, TextureSettings, texture_request
from .scene_surfaces import Worn, as_one, paintable, read_worn, to_paint, without_uv

_VIEW_WANTS = frozenset({Kind.DEPTH, Kind.NORMAL, Kind.OBJECT_ID})
_MULTIPLE = 8


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a session needs to submit a texture."""

    request: TextureRequest
    buffers: Buffers
    target: Target


@dataclass(frozen=True, slots=True)
class Begun:
    """A job of which Blender has said what it shows now; what it has captured is in `buffers`."""

    settings: TextureSettings
    worn: Worn
    scene: Scene
    buffers: Buffers


def begin(context: Any, settings: TextureSettings, views: str, pictures: Buffers) -> Begun:
    """The job for the selected objects. `views`: as the panel's: PLACED, CAMERAS or VIEWPORT.
    `pictures`: those that the settings name.

    Raises UnderpaintError that says what to mend: nothing selected, no UV map …
    """
    objects = to_paint(context)
    if not objects and paintable(context):
        raise RequestError(
            ErrorCode.BAD_MESH,
            "the selected objects are to be left alone",
            hint="Open the lock of an object in the list.",
        )
    _check(objects)
    for item in objects:
        item.update_from_editmode()
    worn = read_worn(objects, context.evaluated_depsgraph_get())
    existing.check_colours(worn.surfaces)
    buffers = Buffers()
    buffers.take(pictures)
    scene = Scene(
        captured_views(context, views, settings.view_size or native_side(settings.model), buffers),
        _own_words(objects, context.evaluated_depsgraph_get()),
        _mirror(objects[0], context.scene.underpaint_texture.mirror),
    )
    return Begun(settings, worn, scene, buffers)


def new_layer(begun: Begun) -> Prepared:
    """The whole job of a new layer. In any thread: milliseconds for ten thousand triangles."""
    mesh, surfaces = as_one(begun.worn, begun.buffers)
    request = texture_request(begun.settings, mesh, begun.scene)
    return Prepared(request, begun.buffers, Target(surfaces, Purpose.NEW))


def over_layers(context: Any, begun: Begun, purpose: Purpose) -> Prepared:
    """The whole job of painting over what is there. Raises UnderpaintError: no mask …"""
    settings, buffers = begun.settings, begun.buffers
    mesh, surfaces = as_one(begun.worn, buffers)
    masks = existing.masks(context, to_paint(context), surfaces, settings.size, purpose)
    there = existing.read_existing(surfaces, masks, settings.size, buffers)
    restyle = purpose is Purpose.RESTYLE
    request = texture_request(settings, mesh, begun.scene, there, restyle=restyle)
    return Prepared(request, buffers, Target(surfaces, purpose))


def again(layer: Any, seed: int) -> Prepared:
    """The job of a layer once more with another seed, from what lies beside its result.

    Raises RequestError(FILE) when that is gone.
    """
    image = layer.paint.image
    request = from_json(image.get(REQUEST_KEY, "")) if image is not None else None
    if not isinstance(request, TextureRequest):
        raise RequestError(
            ErrorCode.FILE,
            f"layer {layer.name!r} carries no settings to try again",
            hint="Flattened layers have none; paint a new texture.",
        )
    buffers = load_inputs(Path(bpy.path.abspath(image.filepath)).parent, request)
    target = target_from_json(image[TARGET_KEY])
    sampling = replace(request.sampling, seed=seed)
    return Prepared(
        replace(request, sampling=sampling),
        buffers,
        replace(target, purpose=Purpose.REROLL, layer=layer.uid),
    )


def _own_words(objects: Sequence[Any], depsgraph: Any) -> dict[int, SceneObject]:
    """The objects with words or LoRAs of their own, by object id; one alone has the panel's."""
    if len(objects) < 2:
        return {}
    ids = object_ids(depsgraph)
    found = {ids[item.name_full]: own_of(item) for item in objects}
    return {number: one for number, one in found.items() if one is not None}


def _mirror(item: Any, axis: str) -> Mirror | None:
    """The plane through an object's origin, across one of its axes."""
    if axis == "OFF":
        return None
    world = as_matrix(item.matrix_world)
    normal = world[:3, "XYZ".index(axis)]
    normal = normal / np.linalg.norm(normal).clip(1e-20)
    point, across = ([round(float(v), 6) for v in vector] for vector in (world[:3, 3], normal))
    return Mirror(tuple(point), tuple(across))


def _check(objects: Sequence[Any]) -> None:
    if not objects:
        raise RequestError(
            ErrorCode.BAD_MESH, "no mesh is selected", hint="Select the objects to paint."
        )
    foreign = [item.name for item in objects if item.data.library is not None]
    if foreign:
        raise RequestError(
            ErrorCode.BAD_MESH,
            f"{', '.join(map(repr, foreign))} is linked from another file",
            hint="Make it local (Object > Relations > Make Local), or paint it in its own file.",
        )
    bare = [item.name for item in without_uv(objects)]
    if bare:
        raise RequestError(
            ErrorCode.BAD_MESH,
            f"{', '.join(map(repr, bare))} has no UV map: a texture needs a place to lie",
            hint="Press Unwrap to have one made, or unwrap it by hand; UV maps that are there stay "
            "as they are.",
        )


def captured_views(context: Any, views: str, side: int, buffers: Buffers) -> tuple[View, ...]:
    """The captured views; none when the daemon is to place them. Their arrays go into `buffers`."""
    if views == "PLACED":
        return ()
    if views == "VIEWPORT":
        viewport = Viewport.of_area(context.area)
        aspect = viewport.region.width / viewport.region.height
        return (_capture(context, viewport, aspect, side, buffers),)
    cameras = [item for item in context.view_layer.objects if item.type == "CAMERA"]
    if not cameras:
        raise RequestError(
            ErrorCode.CAPTURE_FAILED,
            "the scene has no cameras to look from",
            hint="Add cameras about the object, or choose Around.",
        )
    render = context.scene.render
    aspect = render.resolution_x / render.resolution_y
    return tuple(_capture(context, camera, aspect, side, buffers) for camera in cameras)


def _capture(context: Any, source: Any, aspect: float, side: int, buffers: Buffers) -> View:
    """A view with about as many pixels as a square of `side`."""
    width, height = (
        max(_MULTIPLE, round(side * stretch / _MULTIPLE) * _MULTIPLE)
        for stretch in (aspect**0.5, aspect**-0.5)
    )
    view, arrays = capture_view(context, source, width, height, _VIEW_WANTS, as_renders=False)
    for kind in _VIEW_WANTS:
        buffers.add(kind, arrays[getattr(view, kind.value).sha256])
    return view
