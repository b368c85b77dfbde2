"""Objects as one triangulated mesh for texturing: the corner arrays of `MeshRef`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from underpaint.buffers import Array, Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import MeshRef

from ..capture.geometry import SURFACES, object_ids, read_indexed
from ..capture.sources import as_matrix
from ..capture.surfaces import Indexed, Matrix4, Triangles, normal_matrix


@dataclass(frozen=True, slots=True)
class ExtractedMesh:
    """`mesh` and the `buffers` it refers to; `objects`: by object id (two may share a name,
    one linked, one local); `without_uv`: names of those that have no UV map (their UVs are zeros).
    """

    mesh: MeshRef
    buffers: Buffers
    objects: Mapping[int, Any]
    without_uv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadObject:
    """An object's surface, copied from Blender, and what places it."""

    name: str
    object_id: int
    to_world: Matrix4
    mesh: Indexed

    @property
    def slots(self) -> tuple[int, ...]:
        """The material slots that its faces wear, from 0."""
        return tuple(np.unique(self.mesh.material).tolist())


def read_objects(objects: Iterable[Any], depsgraph: Any) -> tuple[ReadObject, ...]:
    """The evaluated surfaces of `objects`; what is left to do, `assemble` does in any thread.

    Takes the objects themselves, not copies that others instance of them. Raises
    RequestError(BAD_MESH) when an object is not in the scene, has no surface of its own, or
    has coordinates that are not finite.
    """
    ids = object_ids(depsgraph)
    read = tuple(_read(item, depsgraph, ids) for item in objects)
    if not read:
        _refuse("no object is given", "Select the object to paint.")
    return read


def assemble(read: Sequence[ReadObject], buffers: Buffers) -> MeshRef:
    """In world space, triangulated, with the UV map that renders use. The arrays go into
    `buffers`."""
    parts = [_corners(item.mesh.triangles(), item.to_world, item.object_id) for item in read]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return MeshRef(*(buffers.add(Kind.MESH, column) for column in columns))


def extract_mesh(objects: Iterable[Any], depsgraph: Any) -> ExtractedMesh:
    """Both at once. Object ids are those of `capture.object_ids` for the same scene state."""
    items, buffers = tuple(objects), Buffers()
    read = read_objects(items, depsgraph)
    by_id = {part.object_id: item for part, item in zip(read, items, strict=True)}
    bare = tuple(part.name for part in read if part.mesh.uv is None)
    return ExtractedMesh(assemble(read, buffers), buffers, by_id, bare)


def _read(item: Any, depsgraph: Any, ids: Mapping[str, int]) -> ReadObject:
    if item.type not in SURFACES:
        _refuse(
            f"{item.name!r} is a {item.type.lower()}, which has no surface",
            "Select meshes, curves or text only.",
        )
    mesh = read_indexed(item.evaluated_get(depsgraph))
    if mesh is None or item.original.name_full not in ids:
        _refuse(
            f"{item.name!r} has no faces of its own in this view layer",
            "Make it visible; if geometry nodes make it of instances, realise them.",
        )
    if not np.isfinite(mesh.position).all():
        _refuse(
            f"{item.name!r} has coordinates that are not finite",
            "Delete the vertices that have no place, or undo what moved them.",
        )
    to_world = as_matrix(item.evaluated_get(depsgraph).matrix_world)
    return ReadObject(item.name, ids[item.original.name_full], to_world, mesh)


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
