"""UV maps in pieces so small that a texture of some size has no texels for them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from underpaint_daemon.common.meshes.normals import uv_double_areas, weld, winding

from .mesh import Mesh

Array = npt.NDArray[Any]
_LEAST = 4.0  # texels a side: below it, filtering reads what lies beside a piece
_FEW = 0.05  # of the surface
_LARGEST = 8192


def told_of_small_pieces(mesh: Mesh, size: int) -> str | None:
    """A sentence where more of a surface than a few per cent lies in UV pieces that are smaller
    than a few texels of a texture of `size`; None where not."""
    uv, position = mesh.uv.cpu().numpy(), mesh.position.cpu().numpy()
    area = np.abs(uv_double_areas(uv)) / 2
    world = np.linalg.norm(winding(position), axis=1)
    share = world / max(float(world.sum()), 1e-300)
    if share[_side(area) * size < _LEAST].sum() <= _FEW:  # none of it can be in a small piece
        return None
    piece = uv_pieces(uv, position)
    sides = _side(np.bincount(piece, area))[piece]
    small = float(share[sides * size < _LEAST].sum())
    if small <= _FEW:
        return None
    order = np.argsort(sides)
    least = float(sides[order][np.searchsorted(np.cumsum(share[order]), _FEW)])
    wanted = 2 ** math.ceil(math.log2(_LEAST / max(least, 1e-9)))
    fix = "Unwrap it into fewer, larger pieces"
    if wanted <= _LARGEST:
        fix = f"Ask for a texture of {wanted}, or unwrap it into fewer, larger pieces"
    return (
        f"At {size} texels a side {small:.0%} of the surface lies in UV pieces of less than "
        f"{_LEAST:.0f} × {_LEAST:.0f} texels, of {int(piece.max()) + 1} in all: it will come out "
        f"blurred or grey. {fix}."
    )


def uv_pieces(uv: Array, position: Array) -> Array:
    """(L,) the piece of the UV map that each triangle (3L, 2), (3L, 3) is in: those that share a
    corner, in UV and in space, are in one."""
    flat, place = weld(np.pad(uv, ((0, 0), (0, 1)))), weld(position)
    vertex = np.unique(flat * (int(place.max()) + 1) + place, return_inverse=True)[1]
    corner = vertex.reshape(-1, 3)
    here, there = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]]]).T
    count = int(corner.max()) + 1
    graph = coo_matrix((np.ones(len(here), np.int8), (here, there)), (count, count))
    return np.unique(connected_components(graph, directed=False)[1][corner[:, 0]],
                     return_inverse=True)[1].reshape(-1)  # fmt: skip


def _side(area: Array) -> Array:
    return np.asarray(np.sqrt(area))
