"""What is on a surface already, for repainting a part of it or restyling it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, UnderpaintError

from ..capture.geometry import fetch
from ..texture_request import Present, Purpose
from . import materials, nodes, pixels, shown
from .compose import grey, resampled, stacked, to_bytes
from .surfaces import FIRST_TILE, Surface
from .uv_mask import faces_mask

Masks = Mapping[int, npt.NDArray[np.uint8]]
"""(size, size) uint8 by surface number: 255 = paint here."""


def check_colours(surfaces: Sequence[Surface]) -> None:
    """Raise UnderpaintError(BAD_REQUEST) when a material has no colour that could be painted."""
    for material in filter(None, map(_material, surfaces)):
        if material.node_tree is not None and nodes.group_node(material) is None:
            nodes.colour_socket(material)


def masks(
    context: Any, objects: Sequence[Any], surfaces: Sequence[Surface], size: int, purpose: Purpose
) -> Masks:
    """Where to repaint: the faces selected in Edit Mode, else the painted masks. Empty for a
    restyle, which is everywhere.

    Raises UnderpaintError(BAD_REQUEST) when there is no mask at all.
    """
    if purpose is not Purpose.REPAINT:
        return {}
    if context.mode == "EDIT_MESH":
        found = {i: _selected(s, objects, size) for i, s in enumerate(surfaces)}
    else:
        found = {i: _painted(s, size) for i, s in enumerate(surfaces)}
    marked = {i: mask for i, mask in found.items() if mask is not None and mask.any()}
    if not marked:
        raise UnderpaintError(
            ErrorCode.BAD_REQUEST,
            "nothing says where to repaint",
            hint="Press Paint Mask and paint the place, or select faces in Edit Mode.",
        )
    return marked


def present(
    surfaces: Sequence[Surface], marked: Masks, size: int, buffers: Buffers
) -> dict[int, Present]:
    """Base and lock of each tile of the job; with masks, all that they leave out is locked."""
    there = {}
    for number, surface in enumerate(surfaces):
        for job, own in surface.tiles:
            base = buffers.add(Kind.COLOR, _seen(surface, own, size))
            lock = None
            if marked:
                kept = 255 - marked.get(number, np.zeros((size, size), np.uint8))
                lock = buffers.add(Kind.MASK, kept)
            there[job] = Present(base, lock)
    return there


def _seen(surface: Surface, tile: int, size: int) -> npt.NDArray[np.uint8]:
    material = _material(surface)
    if material is None or material.node_tree is None:
        colour = (0.8, 0.8, 0.8) if material is None else material.diffuse_color
        below = shown.plain(colour)
        return to_bytes(resampled(below, (size, size)))
    number = tile if len(surface.tiles) > 1 else FIRST_TILE
    below = shown.original(material, tile=number)
    return to_bytes(stacked(shown.sheets(material, tile=number), (size, size), below))


def _material(surface: Surface) -> Any:
    if surface.material is None:
        return None
    return materials.found(bpy.data.materials, surface.material)


def _painted(surface: Surface, size: int) -> npt.NDArray[np.uint8] | None:
    material = _material(surface)
    mask = None if material is None else material.underpaint.edit_mask
    if mask is None:
        return None
    _need_one_tile(surface)
    return to_bytes(resampled(grey(pixels.read(mask))[..., None], (size, size))[..., 0])


def _selected(surface: Surface, objects: Sequence[Any], size: int) -> npt.NDArray[np.uint8] | None:
    parts = []
    by_uid = {item.session_uid: item for item in objects}
    for slot in surface.slots:
        parts.append(selected_uvs(by_uid[slot.object.uid], slot.index))
    uv = np.concatenate(parts)
    if not len(uv):
        return None
    _need_one_tile(surface)
    cell = np.floor(uv.reshape(-1, 3, 2).mean(axis=1)).repeat(3, axis=0)
    return faces_mask(uv - cell, size)


def selected_uvs(item: Any, slot: int) -> npt.NDArray[np.float64]:
    """UVs (3n, 2) of the selected faces of one material slot, as triangles."""
    mesh = item.to_mesh()  # in Edit Mode the object's own mesh shows no UVs
    try:
        return _chosen(mesh, slot, max(0, len(item.material_slots) - 1))
    finally:
        item.to_mesh_clear()


def _chosen(mesh: Any, slot: int, last: int) -> npt.NDArray[np.float64]:
    layer = next((m for m in mesh.uv_layers if m.active_render), mesh.uv_layers.active)
    mesh.calc_loop_triangles()
    loops = fetch(mesh.loop_triangles, "loops", (len(mesh.loop_triangles), 3), np.int32)
    face = fetch(mesh.loop_triangles, "polygon_index", (len(loops),), np.int32)
    chosen = fetch(mesh.polygons, "select", (len(mesh.polygons),), np.bool_)
    material = fetch(mesh.polygons, "material_index", (len(mesh.polygons),), np.int32)
    uv = fetch(layer.uv, "vector", (len(mesh.loops), 2), np.float32)
    wanted = chosen & (material.clip(0, last) == min(slot, last))
    return np.asarray(uv[loops[wanted[face]].reshape(-1)], np.float64)


def _need_one_tile(surface: Surface) -> None:
    if len(surface.tiles) > 1:
        raise UnderpaintError(
            ErrorCode.BAD_REQUEST,
            "masks cover one UDIM tile, and this material lies on several",
            hint="Give the part to repaint a material of its own.",
        )
