"""What is on a surface already, for repainting a part of it or restyling it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, RequestError

from ..plain.surfaces import Surface
from ..plain.udim import FIRST_TILE, cells, tile_numbers
from ..texture.request import Existing, Purpose
from ..working_space import rec709
from . import materials, nodes, pixels, reading, visible
from .compose import grey, resampled, stacked, to_bytes
from .faces import face_uvs
from .uv_mask import faces_mask

Bytes = npt.NDArray[np.uint8]
Masks = Mapping[int, Mapping[int, Bytes]]
"""(size, size) uint8 by surface number and by the artist's UDIM tile: 255 = paint here."""


def check_colours(surfaces: Sequence[Surface]) -> None:
    """Raise RequestError(BAD_REQUEST) when a material has no colour that could be painted."""
    for material in filter(None, map(_material, surfaces)):
        if material.node_tree is not None and nodes.group_node(material) is None:
            nodes.colour_socket(material)


def masks(
    context: Any, objects: Sequence[Any], surfaces: Sequence[Surface], size: int, purpose: Purpose
) -> Masks:
    """Where to repaint: the faces selected in Edit Mode, else the painted masks. Empty for a
    restyle, which is everywhere.

    Raises RequestError(BAD_REQUEST) when there is no mask at all.
    """
    if purpose is not Purpose.REPAINT:
        return {}
    if context.mode == "EDIT_MESH":
        marked = {i: _selected(s, objects, size) for i, s in enumerate(surfaces)}
    else:
        marked = {i: _painted(s, size) for i, s in enumerate(surfaces)}
    if not any(mask.any() for tiles in marked.values() for mask in tiles.values()):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "nothing says where to repaint",
            hint="Press Paint Mask and paint the place, or select faces in Edit Mode.",
        )
    return marked


def read_existing(
    surfaces: Sequence[Surface], marked: Masks, size: int, buffers: Buffers
) -> dict[int, Existing]:
    """Base and lock of each tile of the job; with masks, all that they leave out is locked."""
    there = {}
    nothing = np.zeros((size, size), np.uint8)
    for number, surface in enumerate(surfaces):
        for job, own in surface.tiles:
            base = buffers.add(Kind.COLOR, _seen(surface, own, size))
            lock = None
            if marked:
                lock = buffers.add(Kind.MASK, 255 - marked[number].get(own, nothing))
            there[job] = Existing(base, lock)
    return there


def _seen(surface: Surface, tile: int, size: int) -> Bytes:
    material = _material(surface)
    if material is None or material.node_tree is None:
        colour = (0.8, 0.8, 0.8) if material is None else rec709(material.diffuse_color)
        return to_bytes(resampled(visible.plain(colour), (size, size)))
    number = tile if len(surface.tiles) > 1 else FIRST_TILE
    seen = visible.visible(material)
    found = reading.at_once(visible.places(seen, [number]))
    ground = visible.below(seen, found, number)
    return to_bytes(stacked(visible.sheets(seen, found, number), (size, size), ground))


def _material(surface: Surface) -> Any:
    if surface.material is None:
        return None
    return materials.found(bpy.data.materials, surface.material)


def _painted(surface: Surface, size: int) -> Mapping[int, Bytes]:
    """What was painted with Paint Mask, by tile."""
    material = _material(surface)
    mask = None if material is None else material.underpaint.edit_mask
    if mask is None:
        return {}
    pixels.flush(mask)
    return {
        own: to_bytes(resampled(grey(pixels.read_tile(mask, own))[..., None], (size, size))[..., 0])
        for _job, own in surface.tiles
    }


def _selected(surface: Surface, objects: Sequence[Any], size: int) -> Mapping[int, Bytes]:
    """The faces that are selected, by tile."""
    by_uid = {item.session_uid: item for item in objects}
    uv = np.concatenate(
        [face_uvs(by_uid[s.object.uid], s.index, selected=True) for s in surface.slots]
    )
    cell = cells(uv)
    tile, inside = tile_numbers(cell).repeat(3), uv - cell.repeat(3, axis=0)
    return {int(n): faces_mask(inside[tile == n], size) for n in np.unique(tile)}
