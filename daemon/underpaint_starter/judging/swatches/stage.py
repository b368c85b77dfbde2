"""Light, sky, floor and camera: drawn anew for every picture."""

from __future__ import annotations

import colorsys
from random import Random
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from .nodes import RGB

_STUDIOS = 0.35  # share of the pictures


def coloured(rng: Random, strong: float = 0.25) -> RGB:
    """A light, slightly coloured linear colour."""
    return colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, strong), rng.uniform(0.5, 1.0))


def _grey(rng: Random, _strong: float = 0.0) -> RGB:
    return (rng.uniform(0.75, 1.0),) * 3


def sky(rng: Random) -> None:
    """A sky unlike above, at and below the horizon, so that mirrors have something to show; of a
    third of the pictures a studio's, grey and even."""
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    bpy.context.scene.world = world
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 64
    tree = world.node_tree
    tree.nodes.clear()
    place = tree.nodes.new("ShaderNodeTexCoord")
    parts = tree.nodes.new("ShaderNodeSeparateXYZ")
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    half = tree.nodes.new("ShaderNodeMath")
    half.operation, half.inputs[1].default_value, half.inputs[2].default_value = (
        "MULTIPLY_ADD", 0.5, 0.5)  # fmt: skip
    level = rng.uniform(0.35, 0.9)
    pale = _grey if rng.random() < _STUDIOS else coloured
    ramp.color_ramp.elements.remove(ramp.color_ramp.elements[0])
    ramp.color_ramp.elements[0].position = 1.0
    ramp.color_ramp.elements[0].color = (*_dimmed(pale(rng, 0.5), 0.8 * level), 1)
    soft = rng.choice((0.003, 0.02, 0.06) if pale is coloured else (0.1, 0.3))
    ground = rng.uniform(0.1, 0.7) * level
    for spot, bright in ((0.0, ground), (0.5 - soft, ground), (0.5 + soft, 1.3 * level)):
        colour = _dimmed(pale(rng), bright)
        ramp.color_ramp.elements.new(spot).color = (*colour, 1)
    back = tree.nodes.new("ShaderNodeBackground")
    out = tree.nodes.new("ShaderNodeOutputWorld")
    for a, b in ((place.outputs["Generated"], parts.inputs[0]), (parts.outputs[2], half.inputs[0]),
                 (half.outputs[0], ramp.inputs[0]), (ramp.outputs[0], back.inputs[0]),
                 (back.outputs[0], out.inputs[0])):  # fmt: skip
        tree.links.new(a, b)


def _dimmed(colour: RGB, level: float) -> RGB:
    return (colour[0] * level, colour[1] * level, colour[2] * level)


def lights(rng: Random, towards: Vector) -> None:
    """A sun, or one to three area lights, on the camera's side of the object."""
    if rng.random() < 0.45:
        sun = _light("SUN", rng)
        sun.data.angle = rng.choice((0.01, 0.1, 0.4))
        sun.data.energy = rng.uniform(1.5, 4.0)
        _aim(sun, _around(rng, towards))
        return
    for _ in range(rng.choice((1, 2, 3))):
        lamp = _light("AREA", rng)
        lamp.data.shape = rng.choice(("SQUARE", "DISK"))
        lamp.data.size = rng.uniform(0.4, 2.5)
        lamp.data.energy = rng.uniform(35, 110)
        _aim(lamp, _around(rng, towards))


def _light(kind: str, rng: Random) -> Any:
    data = bpy.data.lights.new("light", kind)
    data.color = coloured(rng, 0.2)
    light = bpy.data.objects.new("light", data)
    bpy.context.collection.objects.link(light)
    return light


def _around(rng: Random, towards: Vector) -> Vector:
    jitter = Vector([rng.gauss(0, 0.6) for _ in range(3)]) + Vector((0, 0, 0.5))
    return (towards + jitter).normalized() * rng.uniform(2.0, 3.0)


def _aim(thing: Any, place: Vector) -> None:
    thing.location = place
    thing.rotation_euler = (-place).to_track_quat("-Z", "Y").to_euler()


def floor(rng: Random, low: float) -> None:
    """A floor that throws light back and stands in mirrors, but not before the camera."""
    bpy.ops.mesh.primitive_plane_add(size=20, location=(0, 0, low))
    plane = bpy.context.active_object
    material = bpy.data.materials.new("floor")
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*coloured(rng, 0.7), 1)
    plane.data.materials.append(material)
    plane.visible_camera = False


def camera(rng: Random, body: Any) -> Vector:
    """A camera that the body fills; gives the direction to it."""
    upward = rng.uniform(-0.1, 0.5) if rng.random() < 0.6 else rng.uniform(-0.6, 0.9)
    around = rng.uniform(0, 2 * np.pi)
    flat = np.sqrt(1 - upward**2)
    towards = Vector((flat * np.cos(around), flat * np.sin(around), upward))
    data = bpy.data.cameras.new("camera")
    data.angle = np.radians(rng.uniform(18, 55))
    seer = bpy.data.objects.new("camera", data)
    bpy.context.collection.objects.link(seer)
    bpy.context.scene.camera = seer
    _fitted(seer, body, towards, np.tan(data.angle / 2), rng.uniform(0.86, 1.12))
    return towards


def _fitted(seer: Any, body: Any, towards: Vector, slope: float, fill: float) -> None:
    """Place the camera so that the body takes `fill` of the frame."""
    bpy.context.view_layer.update()
    turn = (-towards).to_track_quat("-Z", "Y")
    seer.rotation_euler = turn.to_euler()
    corners = np.array([body.matrix_world @ v.co for v in body.data.vertices])
    local = corners @ np.array(turn.to_matrix())
    distance = max(
        float((np.abs(local[:, k]) / (slope * fill) + local[:, 2]).max()) for k in (0, 1)
    )
    seer.location = towards * distance
