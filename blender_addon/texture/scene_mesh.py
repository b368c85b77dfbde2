"""Objects as one triangulated mesh for texturing: the corner arrays of `MeshRef`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from underpaint.buffers import Array, Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import MeshRef

from ..capture.geometry import SURFACES, object_ids, read_triangles
from ..capture.sources import as_matrix
from ..capture.surfaces import Matrix4, Triangles, normal_matrix


@dataclass(frozen=True, slots=True)
class ExtractedMesh:
    """`mesh` and the `buffers` it refers to; `objects`: by object id (two may share a name,
    one linked, one local); `without_uv`: names of those that have no UV map (their UVs are zeros).
    """

    mesh: MeshRef
    buffers: Buffers
    objects: Mapping[int, Any]
    without_uv: tuple[str, ...]


def extract_mesh(objects: Iterable[Any], depsgraph: Any) -> ExtractedMesh:
    """The evaluated surfaces of `objects` in world space, triangulated, with the UV map that
    renders use. Object ids are those of `capture.object_ids` for the same scene state.

    Takes the objects themselves, not copies that others instance of them. Raises
    RequestError(BAD_MESH) when an object is not in the scene, has no surface of its own, or
    has coordinates that are not finite.
    """
    ids = object_ids(depsgraph)
    parts: list[tuple[Array, ...]] = []
    by_id: dict[int, Any] = {}
    without_uv: list[str] = []
    for item in objects:
        triangles = _triangles(item, depsgraph, ids)
        object_id = ids[item.original.name_full]
        by_id[object_id] = item
        if triangles.uv is None:
            without_uv.append(item.name)
        to_world = as_matrix(item.evaluated_get(depsgraph).matrix_world)
        parts.append(_corners(triangles, to_world, object_id))
    if not parts:
        _refuse("no object is given", "Select the object to paint.")
    buffers = Buffers()
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    mesh = MeshRef(*(buffers.add(Kind.MESH, column) for column in columns))
    return ExtractedMesh(mesh, buffers, by_id, tuple(without_uv))


def _triangles(item: Any, depsgraph: Any, ids: Mapping[str, int]) -> Triangles:
    if item.type not in SURFACES:
        _refuse(
            f"{item.name!r} is a {item.type.lower()}, which has no surface",
            "Select meshes, curves or text only.",
        )
    triangles = read_triangles(item.evaluated_get(depsgraph))
    if triangles is None or item.original.name_full not in ids:
        _refuse(
            f"{item.name!r} has no faces of its own in this view layer",
            "Make it visible; if geometry nodes make it of instances, realise them.",
        )
    if not np.isfinite(triangles.position).all():
        _refuse(
            f"{item.name!r} has coordinates that are not finite",
            "Delete the vertices that have no place, or undo what moved them.",
        )
    return triangles


def _corners(triangles: Triangles, to_world: Matrix4, object_id: int) -> tuple[Array, ...]:
    """Position, normal, uv and ids in the order of MeshRef, one row a corner."""
    position = triangles.position.astype(np.float64) @ to_world[:3, :3].T + to_world[:3, 3]
    normal = triangles.normal.astype(np.float64) @ normal_matrix(to_world)[:3, :3].T
    normal /= np.linalg.norm(normal, axis=1, keepdims=True).clip(1e-20)
    count = len(position)
    uv = np.zeros((count, 2)) if triangles.uv is None else triangles.uv
    ids = np.empty((count, 2), np.int32)
    ids[:, 0] = object_id
    ids[:, 1] = np.repeat(triangles.material + 1, 3)
    floats = tuple(array.astype(np.float32) for array in (position, normal, uv))
    if np.linalg.det(to_world[:3, :3]) < 0:
        # A mirrored object would turn its triangles inside out.
        floats = tuple(array.reshape(-1, 3, array.shape[1])[:, [0, 2, 1]] for array in floats)
        floats = tuple(array.reshape(count, -1) for array in floats)
    return (*floats, ids)


def _refuse(message: str, hint: str) -> NoReturn:
    raise RequestError(ErrorCode.BAD_MESH, message, hint=hint)
