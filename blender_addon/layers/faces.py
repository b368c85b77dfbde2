"""Where the faces of a material lie in UV space. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.geometry import fetch
from ..plain.udim import FIRST_TILE, cells, tile_numbers

UVs = npt.NDArray[np.float64]


def face_uvs(item: Any, slot: int, *, selected: bool = False) -> UVs:
    """UVs (3n, 2) of the faces of one material slot, as triangles, in the map that renders use;
    none without a UV map. `selected`: only of the faces that are selected."""
    mesh = item.to_mesh()  # in Edit Mode the object's own mesh shows no UVs
    try:
        layer = next((m for m in mesh.uv_layers if m.active_render), mesh.uv_layers.active)
        if layer is None:
            return np.zeros((0, 2))
        faces = _of_slot(mesh, slot, max(0, len(item.material_slots) - 1))
        if selected:
            faces &= fetch(mesh.polygons, "select", (len(faces),), np.bool_)
        mesh.calc_loop_triangles()
        count = len(mesh.loop_triangles)
        loops = fetch(mesh.loop_triangles, "loops", (count, 3), np.int32)
        face = fetch(mesh.loop_triangles, "polygon_index", (count,), np.int32)
        uv = fetch(layer.uv, "vector", (len(mesh.loops), 2), np.float32)
        return np.asarray(uv[loops[faces[face]].reshape(-1)], np.float64)
    finally:
        item.to_mesh_clear()


def tiles_worn(objects: Sequence[Any], material: Any) -> list[int]:
    """The UDIM tiles on which the faces of these objects that wear a material lie."""
    uvs = [
        face_uvs(item, index)
        for item in objects
        for index, slot in enumerate(item.material_slots)
        if slot.material == material
    ]
    found = {int(n) for uv in uvs for n in np.unique(tile_numbers(cells(uv)))}
    return sorted(found) or [FIRST_TILE]


def _of_slot(mesh: Any, slot: int, last: int) -> npt.NDArray[np.bool_]:
    """Which faces wear a slot's material: indices beyond the `last` slot mean that one."""
    index = fetch(mesh.polygons, "material_index", (len(mesh.polygons),), np.int32)
    return np.asarray(index.clip(0, last) == min(slot, last))
