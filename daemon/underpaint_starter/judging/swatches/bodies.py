"""Forms to look at materials on: Blender's primitives, bent and worn by its modifiers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from .figures import boxes, cog, creature, fir, furniture, knot, lathed, vessel, wall

Points = npt.NDArray[np.float64]
_UPRIGHT_FACE = 0.75  # of a round body, above which a face counts as its cap


def _added(operator: Callable[..., Any], **settings: Any) -> Any:
    operator(**settings)
    return bpy.context.active_object


def _modified(body: Any, kind: str, **settings: Any) -> Any:
    modifier = body.modifiers.new(kind, kind)
    for name, value in settings.items():
        setattr(modifier, name, value)
    return body


def _block(rng: Random) -> Any:
    body = _added(bpy.ops.mesh.primitive_cube_add)
    body.scale = [rng.uniform(0.6, 1.0) for _ in range(3)]
    return _modified(body, "BEVEL", width=rng.uniform(0.02, 0.35), segments=4)


def _ball(_rng: Random) -> Any:
    return _added(bpy.ops.mesh.primitive_uv_sphere_add, segments=64, ring_count=32)


def _drum(rng: Random) -> Any:
    body = _added(bpy.ops.mesh.primitive_cylinder_add, vertices=64, depth=rng.uniform(1.2, 2.6))
    return _modified(body, "BEVEL", width=0.04, segments=3)


def _cone(rng: Random) -> Any:
    tip = rng.uniform(0.0, 0.5)
    return _added(bpy.ops.mesh.primitive_cone_add, vertices=64, radius2=tip, depth=2.2)


def _ring(rng: Random) -> Any:
    return _added(bpy.ops.mesh.primitive_torus_add, major_segments=64, minor_segments=32,
                  minor_radius=rng.uniform(0.25, 0.45))  # fmt: skip


def _boulder(rng: Random) -> Any:
    body = _added(bpy.ops.mesh.primitive_ico_sphere_add, subdivisions=5)
    cloud = bpy.data.textures.new("lumps", "CLOUDS")
    cloud.noise_scale = rng.uniform(0.5, 1.2)
    body.location = [rng.uniform(-9, 9) for _ in range(3)]
    return _modified(body, "DISPLACE", texture=cloud, texture_coords="GLOBAL",
                     strength=rng.uniform(0.5, 0.9))  # fmt: skip


def _turned(rng: Random) -> Any:
    """A turned vessel: a random outline about the upright axis."""
    heights = np.linspace(-1, 1, 9)
    radii = [0.05, *(rng.uniform(0.35, 0.9) for _ in range(7)), rng.uniform(0.2, 0.6)]
    fine = np.linspace(-1, 1, 48)
    smooth = np.interp(fine, heights, radii)
    smooth[2:-2] = np.convolve(smooth, np.ones(5) / 5, "valid")
    return lathed(fine, smooth)


def _arch(rng: Random) -> Any:
    body = _added(bpy.ops.mesh.primitive_cube_add)
    body.scale = (1.0, rng.uniform(0.3, 0.6), 1.0)
    hole = _added(bpy.ops.mesh.primitive_cylinder_add, vertices=48, radius=0.55, depth=4,
                  rotation=(np.pi / 2, 0, 0), location=(0, 0, -0.5))  # fmt: skip
    hole.hide_render = True
    return _modified(body, "BOOLEAN", object=hole, operation="DIFFERENCE")


def _stairs(rng: Random) -> Any:
    count = rng.choice((3, 4, 5))
    return boxes([((k / count, 0.0, 0.0), (1.0, 0.9, (k + 1) / count)) for k in range(count)])


def _twisted(rng: Random) -> Any:
    body = _added(bpy.ops.mesh.primitive_cube_add)
    body.scale = (0.5, 0.5, 1.0)
    _modified(body, "SUBSURF", subdivision_type="SIMPLE", levels=5, render_levels=5)
    turn = rng.choice((-1, 1)) * rng.uniform(0.8, 2.2)
    return _modified(body, "SIMPLE_DEFORM", deform_method="TWIST", deform_axis="Z", angle=turn)


def _monkey(_rng: Random) -> Any:
    body = _added(bpy.ops.mesh.primitive_monkey_add)
    return _modified(body, "SUBSURF", levels=2, render_levels=2)


def _cow(path: Path) -> Any:
    before = set(bpy.data.objects)
    bpy.ops.wm.obj_import(filepath=str(path))
    (body,) = set(bpy.data.objects) - before
    return body


LEARNT = (_block, _ball, _drum, _cone, _ring, _boulder, _turned, _arch, _block, _turned,
          furniture, fir, vessel, cog, knot, creature, creature, wall)  # fmt: skip
UNSEEN = (_stairs, _twisted, _monkey)  # the classifier is judged on these and on the cow
_ROUND = frozenset({_ball, _drum, _cone, _turned, _boulder, fir, vessel})
_FLAT_SHADED = frozenset({_arch, _stairs, _block, _drum, furniture, cog, wall})
_UPRIGHT = frozenset({_arch, _stairs, _turned, furniture, fir, vessel, creature, wall})


def body_of(rng: Random, unseen: bool, cow: Path | None) -> Any:
    """A mesh object whose longest side is 1, in the middle, with UVs as long as its surface."""
    kinds = UNSEEN if unseen else LEARNT
    chosen = rng.randrange(len(kinds) + (unseen and cow is not None))
    whole = chosen == len(kinds)
    body = _cow(cow) if whole and cow is not None else kinds[chosen](rng)
    kind = None if whole else kinds[chosen]
    mesh = _settled(body)
    _smooth(mesh, kind not in _FLAT_SHADED)
    _give_uvs(mesh, kind in _ROUND)
    placed = bpy.data.objects.new("thing", mesh)
    bpy.context.collection.objects.link(placed)
    placed.rotation_euler = _turn(rng, kind in _UPRIGHT)
    return placed


def _turn(rng: Random, upright: bool) -> tuple[float, float, float]:
    around = rng.uniform(0, 2 * np.pi)
    if upright or rng.random() < 0.5:
        return (0.0, 0.0, around)
    return (rng.uniform(-0.9, 0.9), rng.uniform(-0.9, 0.9), around)


def _settled(body: Any) -> Any:
    """The mesh after modifiers, scaled and moved into the unit cube; its maker is removed."""
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(body.evaluated_get(graph))
    mesh.transform(body.matrix_world)
    places = np.empty(3 * len(mesh.vertices))
    mesh.vertices.foreach_get("co", places)
    points: Points = places.reshape(-1, 3)
    low, high = points.min(0), points.max(0)
    points = (points - (low + high) / 2) / (high - low).max()
    mesh.vertices.foreach_set("co", points.reshape(-1))
    mesh.materials.clear()
    for thing in list(bpy.data.objects):
        if thing.type in ("MESH", "CURVE"):
            bpy.data.objects.remove(thing)
    mesh.update()
    return mesh


def _smooth(mesh: Any, smooth: bool) -> None:
    mesh.polygons.foreach_set("use_smooth", np.full(len(mesh.polygons), smooth))


def _give_uvs(mesh: Any, wrapped: bool) -> None:
    """UVs as long as the surface: projected along each face's main axis, or wrapped around z."""
    corners = np.empty(len(mesh.loops), int)
    mesh.loops.foreach_get("vertex_index", corners)
    points = np.empty(3 * len(mesh.vertices))
    mesh.vertices.foreach_get("co", points)
    at: Points = points.reshape(-1, 3)[corners]
    faces = np.repeat(np.arange(len(mesh.polygons)), [len(p.vertices) for p in mesh.polygons])
    normals = np.empty(3 * len(mesh.polygons))
    mesh.polygons.foreach_get("normal", normals)
    facing = np.abs(normals.reshape(-1, 3))[faces]
    uv = _boxed(at, facing)
    if wrapped:
        side = facing[:, 2] < _UPRIGHT_FACE
        uv[side] = _around(at, faces)[side]
    layers = mesh.uv_layers
    while len(layers):
        layers.remove(layers[0])
    layers.new(name="UVMap").data.foreach_set("uv", uv.reshape(-1))


def _boxed(at: Points, facing: Points) -> Points:
    axis = (facing * (1.0, 1.0, 1.1)).argmax(1)
    u = np.where(axis == 0, at[:, 1], at[:, 0])
    v = np.where(axis == 2, at[:, 1], at[:, 2])
    return np.stack((u, v), 1)


def _around(at: Points, faces: npt.NDArray[np.int64]) -> Points:
    """One turn is as long as the body is round; a face at the seam keeps its corners together."""
    angle = np.arctan2(at[:, 1], at[:, 0])
    first = np.searchsorted(faces, np.arange(faces[-1] + 1))
    angle = angle + 2 * np.pi * np.round((angle[first][faces] - angle) / (2 * np.pi))
    radius = np.hypot(at[:, 0], at[:, 1]).max() * 0.85
    return np.stack((angle * radius, at[:, 2]), 1)
