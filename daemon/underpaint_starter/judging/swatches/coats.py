"""Coats of real geometry: hair for fur, leaves for leafy; thousands of small faces in one mesh."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from .nodes import Tree

Points = npt.NDArray[np.float64]


def fur(tree: Tree, body: Any) -> None:
    """Hair that leans down, bends, and grows in tufts; the skin below is dark."""
    draw = np.random.default_rng(tree.rng.randrange(1 << 30))
    roots, normals = _scattered(body, 9000, draw)
    tufts = _scattered(body, 260, draw)[0]
    lean = np.array([0, 0, -1.0]) * tree.rng.uniform(0.3, 0.9) + 0.35 * draw.normal(
        size=roots.shape
    )
    near = tufts[((roots[:, None] - tufts[None]) ** 2).sum(-1).argmin(1)] - roots
    way = _unit(normals + lean + 6 * near)
    length = tree.rng.uniform(0.05, 0.1) * draw.uniform(0.6, 1.2, (len(roots), 1))
    side = _unit(np.cross(way, draw.normal(size=way.shape))) * tree.rng.uniform(0.0025, 0.0045)
    fall = np.array([0, 0, -1.0]) * length * 0.35
    middle, tip = roots + way * length * 0.55, roots + way * length + fall
    points = np.stack(
        (roots - side, roots + side, middle - side * 0.7, middle + side * 0.7, tip), 1
    )
    faces = np.array([[0, 1, 3], [0, 3, 2], [2, 3, 4]])
    tint = draw.uniform(0.55, 1.15, len(roots))
    _grown(
        tree, body, points, faces, np.stack((tint * 0.6, tint * 0.6, tint, tint, tint * 1.25), 1)
    )


def leaves(tree: Tree, body: Any) -> None:
    """Pointed leaves that lie over each other like a hedge's."""
    draw = np.random.default_rng(tree.rng.randrange(1 << 30))
    roots, normals = _scattered(body, tree.rng.randrange(1500, 2600), draw)
    along = _unit(np.cross(normals, draw.normal(size=normals.shape)) + np.array([0, 0, -0.5]))
    lift = _unit(normals * tree.rng.uniform(0.3, 0.8) + along)
    across = _unit(np.cross(lift, normals))
    size = tree.rng.uniform(0.07, 0.13) * draw.uniform(0.7, 1.2, (len(roots), 1))
    wide, fold = 0.32 * size, 0.1 * size * normals
    start = roots + 0.01 * normals
    ribs = [start + lift * size * share for share in (0.0, 0.35, 0.7, 1.0)]
    left = [ribs[1] - across * wide + fold, ribs[2] - across * wide * 0.8 + fold]
    right = [ribs[1] + across * wide + fold, ribs[2] + across * wide * 0.8 + fold]
    points = np.stack((*ribs, *left, *right), 1)
    half = [[0, 1, 4], [1, 2, 5], [1, 5, 4], [2, 3, 5]]
    other = [[0, 6, 1], [1, 7, 2], [1, 6, 7], [2, 7, 3]]
    tint = draw.uniform(0.5, 1.2, len(roots))[:, None].repeat(8, 1)
    tint[:, :4] *= tree.rng.uniform(1.0, 1.35)  # the rib
    _grown(tree, body, points, np.array(half + other), tint)


def _scattered(body: Any, count: int, draw: np.random.Generator) -> tuple[Points, Points]:
    """Points (n, 3) spread evenly over the surface, and its normals there."""
    mesh = body.data
    mesh.calc_loop_triangles()
    triangles = np.empty(3 * len(mesh.loop_triangles), int)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    points = np.empty(3 * len(mesh.vertices))
    mesh.vertices.foreach_get("co", points)
    a, b, c = points.reshape(-1, 3)[triangles.reshape(-1, 3)].transpose(1, 0, 2)
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    chosen = draw.choice(len(area), count, p=area / area.sum())
    u, v = np.sqrt(draw.random((count, 1))), draw.random((count, 1))
    at = a[chosen] * (1 - u) + b[chosen] * (u * (1 - v)) + c[chosen] * (u * v)
    return at, cross[chosen] / area[chosen, None]


def _unit(vectors: Points) -> Points:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9))


def _grown(tree: Tree, body: Any, points: Points, faces: Any, tint: Points) -> None:
    """Add the coat's mesh below `body`, coloured by corner; skin and coat share the material."""
    count, corners, _ = points.shape
    every = (faces[None] + corners * np.arange(count)[:, None, None]).reshape(-1, 3)
    mesh = bpy.data.meshes.new("coat")
    mesh.from_pydata(points.reshape(-1, 3).tolist(), [], every.tolist())
    level = mesh.color_attributes.new("tint", "FLOAT_COLOR", "POINT")
    level.data.foreach_set("color", np.repeat(tint.reshape(-1, 1), 4, 1).reshape(-1))
    coat = bpy.data.objects.new("coat", mesh)
    bpy.context.collection.objects.link(coat)
    coat.parent = body
    mesh.materials.append(tree.material)
    shade = tree.node("Attribute", attribute_name="tint").outputs["Fac"]
    grown = tree.node("ObjectInfo").outputs["Object Index"]
    coat.pass_index = 1
    skin = tuple(0.25 * part for part in tree.base)
    tree.finish(tree.mix(grown, skin, tree.shaded(tree.base, shade)), tree.rng.uniform(0.4, 0.8))
