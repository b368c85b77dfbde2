"""Objects to paint as one mesh, and the surfaces that its UDIM tiles belong to. Needs no daemon and
nothing of the client: scripts in a bare Blender use it too. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from underpaint.buffers import Buffers, Kind
from underpaint.requests import MeshRef

from ..layers.materials import named, of_slot
from ..plain.surfaces import Slot, Surface, grouped, lay_out
from ..plain.udim import Ints
from . import scene_mesh
from .scene_mesh import ReadObject


def paintable(context: Any) -> list[Any]:
    """The selected mesh objects, the active one first; the active one when none is selected."""
    active, chosen = context.view_layer.objects.active, list(context.selected_objects)
    ordered = [active, *chosen] if active in chosen or not chosen else chosen
    meshes = [item for item in ordered if item is not None and item.type == "MESH"]
    return list(dict.fromkeys(meshes))


def to_paint(context: Any) -> list[Any]:
    """The paintable objects that are not to be left alone."""
    return [item for item in paintable(context) if not item.underpaint_leave]


def without_uv(objects: Sequence[Any]) -> list[Any]:
    """Those that have no UV map."""
    return [item for item in objects if not item.data.uv_layers]


@dataclass(frozen=True, slots=True)
class Worn:
    """Objects copied from Blender with the surfaces that they wear, whose tiles are not known yet.
    `pairs` (n,): object id and material slot, ascending; `numbers` (n,): the surface of each."""

    objects: tuple[ReadObject, ...]
    pairs: Ints
    numbers: Ints
    surfaces: tuple[Surface, ...]


def read_worn(objects: Sequence[Any], depsgraph: Any) -> Worn:
    """What only Blender knows of the objects. Raises RequestError(BAD_MESH)."""
    read = scene_mesh.read_objects(objects, depsgraph)
    known = {
        read_object.object_id << 32 | slot + 1: (item, slot)
        for item, read_object in zip(objects, read, strict=True)
        for slot in read_object.slots
    }
    pairs = sorted(known)
    numbers, keys = grouped([_key(*known[pair]) for pair in pairs])
    of = list(zip(numbers, pairs, strict=True))
    surfaces = (_surface([known[p] for n, p in of if n == group]) for group in range(len(keys)))
    return Worn(read, np.array(pairs, np.int64), numbers, tuple(surfaces))


def as_one(worn: Worn, buffers: Buffers) -> tuple[MeshRef, tuple[Surface, ...]]:
    """The objects as one mesh, its arrays in `buffers`, and the surfaces that its UDIM tiles belong
    to. In any thread."""
    mesh = scene_mesh.assemble(worn.objects, buffers)
    ids = buffers[mesh.ids.sha256][::3].astype(np.int64)
    which = np.searchsorted(worn.pairs, ids[:, 0] << 32 | ids[:, 1])
    own = buffers[mesh.uv.sha256]
    uv, tiles = lay_out(own, worn.numbers[which], len(worn.surfaces))
    if uv is not own:
        mesh = replace(mesh, uv=buffers.add(Kind.MESH, uv))
    laid = (replace(s, tiles=t) for s, t in zip(worn.surfaces, tiles, strict=True))
    return mesh, tuple(laid)


def surfaces_of(
    objects: Sequence[Any], depsgraph: Any
) -> tuple[MeshRef, Buffers, tuple[Surface, ...]]:
    """Both at once."""
    buffers = Buffers()
    mesh, surfaces = as_one(read_worn(objects, depsgraph), buffers)
    return mesh, buffers, surfaces


def _key(item: Any, slot: int) -> object:
    """What tells one surface from another: the material, or the object where there is none."""
    material = of_slot(item, slot)
    return (item.session_uid,) if material is None else material.session_uid


def _surface(worn: Sequence[tuple[Any, int]]) -> Surface:
    material = of_slot(*worn[0])
    slots = tuple(Slot(named(item), slot) for item, slot in worn)
    maps = {_uv_map(item) for item, _slot in worn}
    uv_map = maps.pop() if len(maps) == 1 else ""
    return Surface(None if material is None else named(material), slots, uv_map, ())


def _uv_map(item: Any) -> str:
    """The map that is painted, by name where an object has several."""
    maps = item.data.uv_layers
    return next((m.name for m in maps if m.active_render), "") if len(maps) > 1 else ""
