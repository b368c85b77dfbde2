"""From selected objects and the panel's settings to a texture job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.inputs import load_inputs
from underpaint.requests import MeshRef, TextureRequest, View
from underpaint.tree import from_json

from . import scene_mesh
from .capture import Viewport, capture_view
from .layers import presence
from .layers.materials import named, of_slot
from .layers.surfaces import (
    Slot,
    Surface,
    Target,
    grouped,
    lay_out,
    target_from_json,
)
from .marks import REQUEST_KEY, TARGET_KEY
from .texture_request import Purpose, TextureSettings, texture_request

_VIEW_WANTS = frozenset({Kind.DEPTH, Kind.NORMAL, Kind.OBJECT_ID})
_MULTIPLE = 8


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a session needs to submit a texture."""

    request: TextureRequest
    buffers: Buffers
    target: Target


def paintable(context: Any) -> list[Any]:
    """The selected mesh objects, the active one first; the active one when none is selected."""
    active, chosen = context.view_layer.objects.active, list(context.selected_objects)
    ordered = [active, *chosen] if active in chosen or not chosen else chosen
    meshes = [item for item in ordered if item is not None and item.type == "MESH"]
    return list(dict.fromkeys(meshes))


def without_uv(objects: Sequence[Any]) -> list[Any]:
    """Those that have no UV map."""
    return [item for item in objects if not item.data.uv_layers]


def prepare(context: Any, settings: TextureSettings, views: str, purpose: Purpose) -> Prepared:
    """The job for the selected objects. `views`: as the panel's: PLACED, CAMERAS or VIEWPORT.

    Raises UnderpaintError that says what to mend: nothing selected, no UV map, no mask …
    """
    objects = paintable(context)
    _check(objects)
    for item in objects:
        item.update_from_editmode()
    mesh, buffers, surfaces = surfaces_of(objects, context.evaluated_depsgraph_get())
    presence.check_colours(surfaces)
    seen = _views(context, views, settings.view_size, buffers)
    there = {}
    if purpose is not Purpose.NEW:
        masks = presence.masks(context, objects, surfaces, settings.size, purpose)
        there = presence.present(surfaces, masks, settings.size, buffers)
    restyle = purpose is Purpose.RESTYLE
    request = texture_request(settings, mesh, seen, there, restyle=restyle)
    return Prepared(request, buffers, Target(surfaces, purpose))


def again(layer: Any, seed: int) -> Prepared:
    """The job of a layer once more with another seed, from what lies beside its result.

    Raises UnderpaintError(FILE) when that is gone.
    """
    image = layer.paint.image
    request = from_json(image.get(REQUEST_KEY, "")) if image is not None else None
    if not isinstance(request, TextureRequest):
        raise UnderpaintError(
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


def surfaces_of(
    objects: Sequence[Any], depsgraph: Any
) -> tuple[MeshRef, Buffers, tuple[Surface, ...]]:
    """The objects as one mesh, and the surfaces that its UDIM tiles belong to."""
    found = scene_mesh.extract_mesh(objects, depsgraph)
    by_name = {item.name: item for item in objects}
    ids = found.buffers[found.mesh.ids.sha256][::3].astype(np.int64)
    pairs, which = np.unique(ids[:, 0] << 32 | ids[:, 1], return_inverse=True)
    worn = [(by_name[found.names[int(pair >> 32)]], int(pair & 0xFFFF) - 1) for pair in pairs]
    numbers, keys = grouped([_key(item, slot) for item, slot in worn])
    own = found.buffers[found.mesh.uv.sha256]
    uv, tiles = lay_out(own, numbers[which.reshape(-1)], len(keys))
    surfaces = tuple(
        _surface([w for w, n in zip(worn, numbers, strict=True) if n == group], tiles[group])
        for group in range(len(keys))
    )
    mesh = found.mesh
    if uv is not own:
        mesh = replace(mesh, uv=found.buffers.add(Kind.MESH, uv))
    return mesh, found.buffers, surfaces


def _key(item: Any, slot: int) -> object:
    """What tells one surface from another: the material, or the object where there is none."""
    material = of_slot(item, slot)
    return (item.session_uid,) if material is None else material.session_uid


def _surface(worn: Sequence[tuple[Any, int]], tiles: tuple[tuple[int, int], ...]) -> Surface:
    material = of_slot(*worn[0])
    slots = tuple(Slot(named(item), slot) for item, slot in worn)
    maps = {_uv_map(item) for item, _slot in worn}
    return Surface(
        None if material is None else named(material),
        slots,
        maps.pop() if len(maps) == 1 else "",
        tiles,
    )


def _uv_map(item: Any) -> str:
    """The map that is painted, by name where an object has several."""
    maps = item.data.uv_layers
    return next((m.name for m in maps if m.active_render), "") if len(maps) > 1 else ""


def _check(objects: Sequence[Any]) -> None:
    if not objects:
        raise UnderpaintError(
            ErrorCode.BAD_MESH, "no mesh is selected", hint="Select the objects to paint."
        )
    foreign = [item.name for item in objects if item.data.library is not None]
    if foreign:
        raise UnderpaintError(
            ErrorCode.BAD_MESH,
            f"{', '.join(map(repr, foreign))} is linked from another file",
            hint="Make it local (Object > Relations > Make Local), or paint it in its own file.",
        )
    bare = [item.name for item in without_uv(objects)]
    if bare:
        raise UnderpaintError(
            ErrorCode.BAD_MESH,
            f"{', '.join(map(repr, bare))} has no UV map: a texture needs a place to lie",
            hint="Press Unwrap to have one made, or unwrap it by hand; UV maps that are there stay "
            "as they are.",
        )


def _views(context: Any, views: str, side: int, buffers: Buffers) -> tuple[View, ...]:
    """The captured views; none when the daemon is to place them. Their arrays go into `buffers`."""
    if views == "PLACED":
        return ()
    if views == "VIEWPORT":
        viewport = Viewport.of_area(context.area)
        aspect = viewport.region.width / viewport.region.height
        return (_capture(context, viewport, aspect, side, buffers),)
    cameras = [item for item in context.view_layer.objects if item.type == "CAMERA"]
    if not cameras:
        raise UnderpaintError(
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
    view, arrays = capture_view(context, source, width, height, _VIEW_WANTS)
    for kind in _VIEW_WANTS:
        buffers.add(kind, arrays[getattr(view, kind.value).sha256])
    return view
