"""How a mesh comes in: its arrays are checked, and what has no UVs is unwrapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from underpaint.requests import MeshRef
from underpaint_daemon.common.meshes.corners import Corners, checked

from .atlas import FIRST_TILE, TILES_ACROSS, tile_numbers
from .mesh import Mesh, is_inside_out
from .unwrap import Tick, Unwrapped, unwrap

Array = npt.NDArray[Any]
_LAST_TILE = 2000


@dataclass(frozen=True, slots=True)
class Received:
    """A mesh ready to paint. source (L,) int32: which of the given triangles each is. made: the
    UV map that was made for the triangles `bare` (L,) bool, if there were any."""

    mesh: Mesh
    source: Array
    bare: Array
    made: Unwrapped | None


def mesh_from_request(
    ref: MeshRef, buffers: Mapping[str, Array], *, partly: bool = False, tick: Tick | None = None
) -> Received:
    """The mesh of a `TextureRequest`; partly: its `unwrap`. Raises RequestError(BAD_MESH)."""
    arrays = (buffers[getattr(ref, name).sha256] for name in ("position", "normal", "uv", "ids"))
    return received(checked(*arrays, partly=partly), tick)


def mesh_from_arrays(
    position: npt.ArrayLike,
    normal: npt.ArrayLike | None,
    uv: npt.ArrayLike | None,
    ids: npt.ArrayLike | None = None,
) -> Mesh:
    """A mesh from corner arrays, checked (`corners.checked`) and unwrapped where it has no UVs.
    Raises RequestError(BAD_MESH)."""
    return received(checked(position, normal, uv, ids)).mesh


def received(corners: Corners, tick: Tick | None = None) -> Received:
    """Checked corners as a mesh. What is bare gets UVs on a tile of its own; tick: told how far
    that is, may raise to stop it."""
    corners = replace(corners, uv=_own(corners.uv), ids=_own(corners.ids))
    if not corners.bare.any():
        return Received(_say_inside_out(_mesh(corners)), corners.source, corners.bare, None)
    rows = corners.bare.repeat(3)
    made = unwrap(corners.position[rows], tick)
    corners.uv[rows] = made.uv + _free_cell(_mesh(corners), corners.bare)
    mesh = _say_inside_out(_mesh(corners.warn(_told(corners, made))))
    return Received(mesh, corners.source, corners.bare, made)


def _own(rows: Array) -> Array:
    """Rows that may be written, as torch wants them: not a view of one row."""
    return np.require(rows, requirements=("C", "W"))


def _mesh(corners: Corners) -> Mesh:
    return Mesh(
        torch.from_numpy(corners.position),
        torch.from_numpy(corners.normal),
        torch.from_numpy(corners.uv),
        torch.from_numpy(corners.ids),
        corners.warnings,
    )


def _free_cell(mesh: Mesh, bare: Array) -> Array:
    """(2,) float32: the lower corner of the first tile after those that are in use."""
    used = tile_numbers(mesh).numpy()[~bare]
    number = int(used.max(initial=FIRST_TILE - 1)) + 1
    if number > _LAST_TILE:
        number = next(n for n in range(FIRST_TILE, _LAST_TILE + 1) if n not in used)
    place = number - FIRST_TILE
    return np.array([place % TILES_ACROSS, place // TILES_ACROSS], np.float32)


def _told(corners: Corners, made: Unwrapped) -> str:
    whole = bool(corners.bare.all())
    what = "The mesh has" if whole else f"{corners.bare.mean():.0%} of the triangles have"
    return f"{what} no UV map; one was made: {made.charts} charts, stretch {made.stretch:.2f}."


def _say_inside_out(mesh: Mesh) -> Mesh:
    if not is_inside_out(mesh):
        return mesh
    return mesh.warn(
        "The mesh is closed and its faces point inward: it is painted as a room, from within. "
        "If it is an object, recalculate its normals to the outside."
    )
