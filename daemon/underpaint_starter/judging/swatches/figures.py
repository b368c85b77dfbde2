"""Forms of many parts: furniture, creatures, trees, cogs, knots, walls."""

from __future__ import annotations

from random import Random
from typing import Any

import bpy
import numpy as np

Point = tuple[float, float, float]


def from_data(points: Any, faces: Any, edges: Any = ()) -> Any:
    """A mesh object of points and faces (or edges)."""
    mesh = bpy.data.meshes.new("body")
    mesh.from_pydata(points, edges, faces)
    body = bpy.data.objects.new("body", mesh)
    bpy.context.collection.objects.link(body)
    return body


def boxes(corners: list[tuple[Point, Point]]) -> Any:
    """One object of boxes, each from its lowest to its highest corner."""
    sides = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    points: list[Point] = []
    faces: list[tuple[int, ...]] = []
    for low, high in corners:
        first = len(points)
        points += [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1])
                   for z in (low[2], high[2])]  # fmt: skip
        faces += [tuple(first + corner for corner in side) for side in sides]
    return from_data(points, faces)


def lathed(heights: Any, radii: Any) -> Any:
    """An outline (radii over heights) turned about the upright axis, closed below and above."""
    turns = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    points = [(r * np.cos(t), r * np.sin(t), h) for h, r in zip(heights, radii, strict=True)
              for t in turns]  # fmt: skip
    count = len(points) // 64
    faces = [(64 * i + j, 64 * i + (j + 1) % 64, 64 * (i + 1) + (j + 1) % 64, 64 * (i + 1) + j)
             for i in range(count - 1) for j in range(64)]  # fmt: skip
    caps = [tuple(range(63, -1, -1)), tuple(range(64 * count - 64, 64 * count))]
    return from_data(points, [*faces, *caps])


def furniture(rng: Random) -> Any:
    """A table, a stool or a chair."""
    wide, deep, high = rng.uniform(0.7, 1.6), rng.uniform(0.7, 1.0), rng.uniform(0.5, 1.1)
    thick, leg = rng.uniform(0.06, 0.2), rng.uniform(0.07, 0.2)
    parts = [((0.0, 0.0, high - thick), (wide, deep, high))]
    parts += [((x, y, 0.0), (x + leg, y + leg, high - thick / 2))
              for x in (0.0, wide - leg) for y in (0.0, deep - leg)]  # fmt: skip
    if rng.random() < 0.5:
        parts += [((0.0, 0.0, high), (leg, deep, high + rng.uniform(0.5, 1.0)))]
    return boxes(parts)


def fir(rng: Random) -> Any:
    """A trunk under skirts, as a toy fir or a pagoda has."""
    count = rng.choice((2, 3, 4))
    heights, radii = [0.0, 0.5], [0.15, 0.15]
    for level in range(count):
        low = 0.5 + 1.5 * level / count
        heights += [low, low + 1.5 / count]
        radii += [1.0 - 0.65 * level / count, 0.3 - 0.25 * level / count]
    return lathed([*heights, 2.05], [*radii, 0.01])


def vessel(rng: Random) -> Any:
    """A bottle, a mushroom, a bell or a bowl, by its outline."""
    heights, radii = rng.choice((
        ((0, 0.05, 1.2, 1.6, 2.3), (0.45, 0.5, 0.5, 0.18, 0.16)),
        ((0, 0.9, 0.95, 1.15, 1.4, 1.6), (0.25, 0.2, 0.75, 0.7, 0.45, 0.05)),
        ((0, 0.1, 0.5, 1.1, 1.35, 1.5), (0.8, 0.7, 0.5, 0.42, 0.25, 0.05)),
        ((0, 0.1, 0.4, 0.8, 0.78, 0.2), (0.3, 0.5, 0.8, 1.0, 0.92, 0.2)),
    ))  # fmt: skip
    at, fine = np.arange(len(heights)), np.linspace(0, len(heights) - 1, 40)
    return lathed(np.interp(fine, at, heights), np.interp(fine, at, radii) * rng.uniform(0.8, 1.2))


def cog(rng: Random) -> Any:
    """A star, a cross or a toothed wheel, cut from a board."""
    teeth, inner = rng.choice(((5, 0.4), (6, 0.55), (4, 0.35), (10, 0.8)))
    wide = rng.choice((1, 2))
    turns = np.arange(2 * wide * teeth) * np.pi / (wide * teeth)
    radii = np.where(np.arange(len(turns)) % (2 * wide) < wide, 1.0, inner)
    thick, count = rng.uniform(0.25, 0.8), len(turns)
    points = [(r * np.cos(t), y, r * np.sin(t)) for y in (0.0, thick)
              for r, t in zip(radii, turns, strict=True)]  # fmt: skip
    sides = [(k, (k + 1) % count, count + (k + 1) % count, count + k) for k in range(count)]
    return from_data(points, [*sides, tuple(range(count - 1, -1, -1)),
                              tuple(range(count, 2 * count))])  # fmt: skip


def knot(rng: Random) -> Any:
    """A tube along a knot."""
    turns = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    loops = rng.choice((2, 3))
    radius = 1 + 0.45 * np.cos(loops * turns)
    path = np.stack((radius * np.cos(2 * turns), radius * np.sin(2 * turns),
                     0.45 * np.sin(loops * turns)), 1)  # fmt: skip
    data = bpy.data.curves.new("knot", "CURVE")
    data.dimensions, data.bevel_depth, data.bevel_resolution = "3D", rng.uniform(0.18, 0.3), 6
    line = data.splines.new("POLY")
    line.points.add(len(path) - 1)
    for point, place in zip(line.points, path, strict=True):
        point.co = (*place, 1.0)
    line.use_cyclic_u = True
    body = bpy.data.objects.new("knot", data)
    bpy.context.collection.objects.link(body)
    return body


def creature(rng: Random) -> Any:
    """Something with a trunk, four limbs and a head, on all fours or upright."""
    tall, long = rng.uniform(0.5, 1.0), rng.uniform(0.8, 1.5)
    wide = rng.uniform(0.2, 0.4)
    points: list[Point] = [
        (0, 0, tall),
        (long, 0, tall),
        (long + 0.3, 0, tall + 0.4),
        (long + 0.65, 0, tall + 0.35),
    ]
    edges = [(0, 1), (1, 2), (2, 3)]
    for root in (0, 1):
        for side in (-wide, wide):
            at = len(points)
            points += [(points[root][0], side, tall * 0.75), (points[root][0], side * 1.1, 0)]
            edges += [(root, at), (at, at + 1)]
    body = from_data(points, [], edges)
    body.modifiers.new("skin", "SKIN")
    thick = [0.3, 0.32, 0.17, 0.2, *[0.14, 0.1] * 4]
    for vertex, radius in zip(body.data.skin_vertices[0].data, thick, strict=True):
        vertex.radius = [radius * rng.uniform(0.8, 1.2)] * 2
    body.data.skin_vertices[0].data[0].use_root = True
    smooth = body.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = rng.choice((1, 2))
    if rng.random() < 0.4:
        body.rotation_euler = (0, -np.pi / 2, 0)
    return body


def wall(rng: Random) -> Any:
    """A flat piece that is all surface."""
    return boxes([((0.0, 0.0, 0.0), (1.0, rng.uniform(0.02, 0.08), rng.uniform(0.7, 1.0)))])
