"""The demo scene, built by script: a head on a ground with a ball and a block beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

# bmesh can be imported once bpy is.
import bpy

# isort: split
import bmesh
from mathutils import Vector

Color = tuple[float, float, float]
_STONE: Color = (0.45, 0.47, 0.42)
_SAND: Color = (0.62, 0.49, 0.32)
_BRICK: Color = (0.50, 0.18, 0.12)
_SLATE: Color = (0.16, 0.24, 0.34)


def build() -> Any:
    """Make the scene and return it; it is a new scene beside those that exist.

    One main object in the middle of the picture, two small ones at its sides: what the starter
    model was trained on. The camera sees it in a square picture with plain background.
    """
    scene = bpy.data.scenes.new("Underpaint demo")
    head = _add(scene, "Head", _monkey(), (0.0, 0.0, 0.98), _STONE)
    head.rotation_euler = (math.radians(-12), 0.0, math.radians(18))
    _smooth(head, levels=2)
    ball = _add(scene, "Ball", _sphere(0.38), (1.25, -0.55, 0.38), _BRICK)
    _smooth(ball, levels=0)
    block = _add(scene, "Block", _box(0.7), (-1.3, -0.2, 0.35), _SLATE)
    block.rotation_euler = (0.0, 0.0, math.radians(28))
    bevel = block.modifiers.new("Bevel", "BEVEL")
    bevel.width, bevel.segments = 0.03, 2
    _add(scene, "Ground", _disc(6.0), (0.0, 0.0, 0.0), _SAND)
    scene.camera = _camera(scene, (0.9, -6.2, 2.5), (0.0, -0.1, 0.8))
    _light(scene)
    scene.render.resolution_x = scene.render.resolution_y = 512
    return scene


def open_in(context: Any) -> Any:
    """Build the scene and make it the one that the context's window shows, if it has one."""
    scene = build()
    if context.window is not None:
        context.window.scene = scene
    return scene


def animate(scene: Any, frames: int = 24) -> None:
    """Set the scene into motion: the camera goes around, the head turns, the ball rolls by."""
    scene.frame_start, scene.frame_end = 1, frames
    for frame, t in ((1, 0.0), (frames, 1.0)):
        _key(scene.objects["Head"], frame, angle=math.radians(18 - 24 * t))
        _key(scene.objects["Ball"], frame, at=(1.25 - 0.45 * t, -0.55 - 0.75 * t, 0.38))
        eye = (0.9 - 1.4 * t, -6.2 + 0.25 * t, 2.5)
        _key(scene.camera, frame, at=eye)
        scene.camera.rotation_euler = _towards(eye, (0.0, -0.1, 0.8))
        scene.camera.keyframe_insert("rotation_euler", frame=frame)


def _key(
    item: Any, frame: int, at: tuple[float, float, float] | None = None, angle: float | None = None
) -> None:
    if at is not None:
        item.location = at
        item.keyframe_insert("location", frame=frame)
    if angle is not None:
        item.rotation_euler.z = angle
        item.keyframe_insert("rotation_euler", frame=frame)


def _add(
    scene: Any, name: str, mesh: Any, location: tuple[float, float, float], color: Color
) -> Any:
    item = bpy.data.objects.new(name, mesh)
    item.location = location
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*color, 1.0)
    mesh.materials.append(material)
    mesh.name = name
    scene.collection.objects.link(item)
    return item


def _smooth(item: Any, levels: int) -> None:
    item.data.polygons.foreach_set("use_smooth", [True] * len(item.data.polygons))
    if levels:
        item.modifiers.new("Subdivision", "SUBSURF").levels = levels


def _camera(scene: Any, eye: tuple[float, float, float], target: tuple[float, float, float]) -> Any:
    data = bpy.data.cameras.new("Camera")
    data.lens = 58.0
    camera = bpy.data.objects.new("Camera", data)
    camera.location = eye
    camera.rotation_euler = _towards(eye, target)
    scene.collection.objects.link(camera)
    return camera


def _towards(eye: tuple[float, float, float], target: tuple[float, float, float]) -> Any:
    return (Vector(target) - Vector(eye)).to_track_quat("-Z", "Y").to_euler()


def _light(scene: Any) -> None:
    data = bpy.data.lights.new("Sun", "SUN")
    data.energy = 3.0
    sun = bpy.data.objects.new("Sun", data)
    sun.rotation_euler = (math.radians(50), 0.0, math.radians(35))
    scene.collection.objects.link(sun)


def _mesh(make: Callable[[Any], object]) -> Any:
    """A mesh made by a bmesh operator, with its generated UVs."""
    mesh = bpy.data.meshes.new("Underpaint")
    draft = bmesh.new()
    try:
        draft.loops.layers.uv.new("UVMap")
        make(draft)
        draft.to_mesh(mesh)
    finally:
        draft.free()
    return mesh


def _monkey() -> Any:
    return _mesh(lambda draft: bmesh.ops.create_monkey(draft, calc_uvs=True))


def _sphere(radius: float) -> Any:
    return _mesh(
        lambda draft: bmesh.ops.create_uvsphere(
            draft, u_segments=64, v_segments=32, radius=radius, calc_uvs=True
        )
    )


def _box(size: float) -> Any:
    return _mesh(lambda draft: bmesh.ops.create_cube(draft, size=size, calc_uvs=True))


def _disc(radius: float) -> Any:
    return _mesh(
        lambda draft: bmesh.ops.create_circle(
            draft, cap_ends=True, segments=96, radius=radius, calc_uvs=True
        )
    )
