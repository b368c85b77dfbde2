"""Objects to paint as one mesh, and the surfaces that its UDIM tiles belong to. Needs no daemon and
nothing of the client: scripts in a bare Blender use it too. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from underpaint.buffers import Buffers, Kind
from underpaint.requests import MeshRef

from ..layers.materials import named, of_slot
from ..plain.surfaces import Slot, Surface, grouped, lay_out
from . import scene_mesh


def paintable(context: Any) -> list[Any]:
    """The selected mesh objects, the active one first; the active one when none is selected."""
    active, chosen = context.view_layer.objects.active, list(context.selected_objects)
    ordered = [active, *chosen] if active in chosen or not chosen else chosen
    meshes = [item for item in ordered if item is not None and item.type == "MESH"]
    return list(dict.fromkeys(meshes))


def without_uv(objects: Sequence[Any]) -> list[Any]:
    """Those that have no UV map."""
    return [item for item in objects if not item.data.uv_layers]


def surfaces_of(
    objects: Sequence[Any], depsgraph: Any
) -> tuple[MeshRef, Buffers, tuple[Surface, ...]]:
    """The objects as one mesh, and the surfaces that its UDIM tiles belong to."""
    found = scene_mesh.extract_mesh(objects, depsgraph)
    ids = found.buffers[found.mesh.ids.sha256][::3].astype(np.int64)
    pairs, which = np.unique(ids[:, 0] << 32 | ids[:, 1], return_inverse=True)
    worn = [(found.objects[int(pair >> 32)], int(pair & 0xFFFF) - 1) for pair in pairs]
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
