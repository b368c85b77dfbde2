"""The evaluated scene as numpy arrays: modifiers, geometry nodes and instances applied."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .sources import as_matrix
from .surfaces import Float32, Indexed, Int32, Matrix4, Placed, Triangles

_INT_BYTES = 4
SURFACES = frozenset({"MESH", "CURVE", "SURFACE", "FONT", "META"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One object instance of the dependency graph, as long as the iteration holds it."""

    object: Any
    to_world: Matrix4
    name: str
    owner: Any
    key: str


def object_ids(depsgraph: Any) -> dict[str, int]:
    """Full object name -> id from 1, in the names' order.

    The same for every capture and mesh extraction of one scene state: it counts all objects with
    a surface, seen or not. Instances carry the id of the object that they repeat.
    """
    names = sorted({seen.name for seen in _surfaces(depsgraph)})
    return {name: i for i, name in enumerate(names, start=1)}


def read_scene(
    depsgraph: Any,
    shown: Callable[[Any, Any], bool],
    known: Mapping[str, int],
    cache: dict[Any, Triangles | None],
) -> list[Placed]:
    """Every surface that is `shown` (given the original object and the one it belongs to: itself,
    or what instances it). `known`: ids of the scene's present state; what only renders show comes
    after them. Meshes that several share, or that `cache` has, are not read again."""
    ids = {**known}
    for name in object_ids(depsgraph):
        ids.setdefault(name, len(ids) + 1)
    placed: list[Placed] = []
    for seen in _surfaces(depsgraph):
        if not shown(seen.object.original, seen.owner):
            continue
        key = seen.object.data.as_pointer() if seen.object.data is not None else seen.name
        if key not in cache:
            cache[key] = read_triangles(seen.object)
        triangles = cache[key]
        if triangles is not None:
            colors = material_colors(seen.object)
            placed.append(Placed(triangles, seen.to_world, ids[seen.name], colors, seen.key))
    return placed


def _surfaces(depsgraph: Any) -> Iterator[Seen]:
    for instance in depsgraph.object_instances:
        item = instance.object
        if item.type not in SURFACES or not instance.show_self:
            continue
        owner = (instance.parent if instance.is_instance else item).original
        name = item.original.name_full
        key = f"{owner.name_full}/{name}/{_place_among_instances(instance)}"
        yield Seen(item, as_matrix(instance.matrix_world), name, owner, key)


def _place_among_instances(instance: Any) -> str:
    """What Blender's own motion vectors tell instances apart by; empty for what is none."""
    return ",".join(map(str, instance.persistent_id)) if instance.is_instance else ""


def read_triangles(item: Any) -> Triangles | None:
    """The triangles of an evaluated object, in its own space; None when it has none."""
    indexed = read_indexed(item)
    return None if indexed is None else indexed.triangles()


def read_indexed(item: Any) -> Indexed | None:
    """The same as Blender keeps it: quick, and the rest can be done in a thread."""
    mesh = item.to_mesh()
    try:
        return None if mesh is None else _read(mesh)
    finally:
        item.to_mesh_clear()


def _read(mesh: Any) -> Indexed | None:
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    if count == 0:
        return None
    # What has a layer of its own is copied as a whole: `vertex_index`, `co` and `material_index`
    # would be asked for one by one, milliseconds each in a mesh of 35 000 triangles.
    layers, corners, faces = mesh.attributes, len(mesh.loops), len(mesh.polygons)
    material = np.zeros(faces, np.int32)
    if "material_index" in layers:
        material = fetch(layers["material_index"].data, "value", (faces,), np.int32)
    return Indexed(
        _triangle_corners(mesh.loop_triangles, count),
        fetch(layers[".corner_vert"].data, "value", (corners,), np.int32),
        fetch(layers["position"].data, "vector", (len(mesh.vertices), 3), np.float32),
        fetch(mesh.corner_normals, "vector", (corners, 3), np.float32),
        _render_uv(mesh),
        fetch(mesh.loop_triangle_polygons, "value", (count,), np.int32),
        material,
    )


def _triangle_corners(triangles: Any, count: int) -> Int32:
    """Of each triangle corner, its place among the mesh's. Blender keeps them in one row of
    memory; its own way there takes eight times as long as all else that is read."""
    first, last = triangles[0], triangles[count - 1]
    if last.as_pointer() - first.as_pointer() == (count - 1) * 3 * _INT_BYTES:
        row = (ctypes.c_int32 * (count * 3)).from_address(first.as_pointer())
        found = np.frombuffer(row, np.int32).copy()
        if [*found[:3], *found[-3:]] == [*first.loops, *last.loops]:
            return found
    return fetch(triangles, "loops", (count * 3,), np.int32)


def _render_uv(mesh: Any) -> Float32 | None:
    layers = mesh.uv_layers
    layer = next((item for item in layers if item.active_render), layers.active)
    return None if layer is None else fetch(layer.uv, "vector", (len(mesh.loops), 2), np.float32)


def fetch(items: Any, name: str, shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
    """One attribute of a Blender collection as an array."""
    out = np.empty(shape, dtype)
    items.foreach_get(name, out.reshape(-1))
    return out


def material_colors(item: Any) -> Float32:
    """The viewport colours of an object's material slots, scene-linear, (at least 1, 3)."""
    grey = (0.8, 0.8, 0.8)
    materials = [slot.material for slot in item.material_slots]
    colors = [grey if m is None else tuple(m.diffuse_color)[:3] for m in materials]
    return np.array(colors or [grey], np.float32)
