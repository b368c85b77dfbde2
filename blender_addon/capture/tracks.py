"""A captured frame as a track: which spot of which surface each pixel shows. No bpy."""

from __future__ import annotations

import numpy as np

from underpaint.animation.tracks import Placing, Shape, Track, shape_of
from underpaint.cameras import Camera

from .surfaces import Float32, Int32, Passes, Placed, Triangles


def track_of(placed: list[Placed], passes: Passes, camera: Camera) -> Track:
    """The track of what was drawn; only instances that are seen or were could be followed, and
    all are kept: one that is hidden now may be seen in the next frame."""
    seen = passes.object_id > 0
    shapes: dict[int, Shape] = {}
    for item in placed:
        shapes.setdefault(id(item.triangles), _shape(item.triangles))
    return Track(
        camera,
        np.where(seen, -passes.position[..., 2], np.float32(np.inf)).astype(np.float32),
        np.where(seen, passes.item, -1).astype(np.int32),
        _vertices(placed, passes, seen.nonzero()),
        _weights(passes.weights),
        tuple(Placing(item.key, shapes[id(item.triangles)], item.to_world) for item in placed),
    )


def _shape(triangles: Triangles) -> Shape:
    vertices = np.zeros((int(triangles.faces.max()) + 1, 3), np.float32)
    vertices[triangles.vertex] = triangles.position
    return shape_of(vertices, triangles.faces)


def _vertices(placed: list[Placed], passes: Passes, seen: tuple[Int32, ...]) -> Int32:
    """(h, w, 3): the vertices of the triangle in every seen pixel."""
    starts = np.cumsum([0, *(len(item.triangles.material) for item in placed)])[:-1]
    corners = np.concatenate([item.triangles.vertex.reshape(-1, 3) for item in placed])
    out = np.zeros((*passes.item.shape, 3), np.int32)
    out[seen] = corners[starts[passes.item[seen]] + passes.triangle[seen]]
    return out


def _weights(two: Float32) -> Float32:
    first = two.clip(0, 1)
    return np.concatenate([first, 1 - first.sum(-1, keepdims=True)], -1).astype(np.float32)
