"""Exact pictures of simple shapes: what a capture is measured against.

Nothing here uses `underpaint.cameras`' matrices or Blender's: rays come from lens, sensor and
shift as Blender's manual defines them, intersections from the shapes' equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Vector = tuple[float, float, float]
Matrix = tuple[float, ...]


class ShapeKind(StrEnum):
    """Unit shapes: |p| = 1; the cube of side 2; the square of side 2 in z = 0."""

    SPHERE = "sphere"
    BOX = "box"
    PLANE = "plane"


@dataclass(frozen=True, slots=True)
class Shape:
    """A unit shape in the world. `matrix`, `parent`: 16 floats, row by row; the shape's place is
    parent @ matrix. `object`: name of the Blender object that shows it."""

    kind: ShapeKind
    object: str
    matrix: Matrix
    parent: Matrix

    @property
    def to_world(self) -> Float64:
        place: Float64 = _square(self.parent) @ _square(self.matrix)
        return place


@dataclass(frozen=True, slots=True)
class Lens:
    """A camera in Blender's terms. `lens`, `sensor` in mm; `shift` and `ortho_scale` as in the
    camera's properties; `sensor_fit`: AUTO, HORIZONTAL or VERTICAL; `scale`: the camera object's
    own scale, which must not matter."""

    eye: Vector
    target: Vector
    width: int
    height: int
    lens: float = 50.0
    sensor: tuple[float, float] = (36.0, 24.0)
    sensor_fit: str = "AUTO"
    shift: tuple[float, float] = (0.0, 0.0)
    ortho_scale: float | None = None
    pixel_aspect: tuple[float, float] = (1.0, 1.0)
    scale: float = 1.0

    def to_world(self) -> Float64:
        """Camera to world, (4, 4), without scale: −Z looks at the target, Z of the world up."""
        back = np.subtract(self.eye, self.target)
        back = back / np.linalg.norm(back)
        right = np.cross([0.0, 0.0, 1.0], back)
        right = right / np.linalg.norm(right)
        out = np.eye(4)
        out[:3, :4] = np.stack([right, np.cross(back, right), back, np.array(self.eye)], axis=1)
        return out

    def _frame(self) -> tuple[float, float, float]:
        """Size on the plane at depth 1 (orthographic: in metres) of one pixel's width; pixels on
        the fitted side; a pixel's height by its width."""
        tall = self.pixel_aspect[1] / self.pixel_aspect[0]
        wide = self.sensor_fit == "HORIZONTAL" or (
            self.sensor_fit == "AUTO" and self.width >= self.height * tall
        )
        fitted = self.width if wide else self.height * tall
        sensor = self.sensor[1] if self.sensor_fit == "VERTICAL" else self.sensor[0]
        extent = sensor / self.lens if self.ortho_scale is None else self.ortho_scale
        return extent / fitted, fitted, tall

    def rays(self) -> tuple[Float64, Float64]:
        """Origins and directions (h, w, 3) in the world through the pixels' centres. Directions
        advance one metre of depth, so that a hit's ray parameter is its depth."""
        step, fitted, tall = self._frame()
        x = (np.arange(self.width) + 0.5 - self.width / 2 + self.shift[0] * fitted) * step
        y = (
            tall * (self.height / 2 - np.arange(self.height) - 0.5) + self.shift[1] * fitted
        ) * step
        xs, ys = np.meshgrid(x, y)
        on_plane = np.stack([xs, ys, np.zeros_like(xs)], axis=-1)
        forward = np.array([0.0, 0.0, -1.0])
        if self.ortho_scale is None:
            origins, directions = np.zeros_like(on_plane), on_plane + forward
        else:
            origins, directions = on_plane, np.broadcast_to(forward, on_plane.shape)
        to_world = self.to_world()
        return (
            origins @ to_world[:3, :3].T + to_world[:3, 3],
            directions @ to_world[:3, :3].T,
        )

    def project(self, points: Float64) -> Float64:
        """World points (N, 3) to pixels (N, 2) as (x, y)."""
        to_world = self.to_world()
        in_camera = (points - to_world[:3, 3]) @ to_world[:3, :3]
        step, fitted, tall = self._frame()
        if self.ortho_scale is None:
            in_camera = in_camera / -in_camera[:, 2:]
        x = in_camera[:, 0] / step - self.shift[0] * fitted + self.width / 2
        y = self.height / 2 - (in_camera[:, 1] / step - self.shift[1] * fitted) / tall
        return np.stack([x, y], axis=1)


@dataclass(frozen=True, slots=True)
class Truth:
    """The exact picture: `depth` (h, w) metres, inf background; `normal` (h, w, 3) camera space,
    on the viewer's side; `shape` (h, w) index into the shapes, −1 background; `edge` (h, w): a
    pixel that sees, or has a neighbour that sees, another flat or smooth side."""

    depth: Float64
    normal: Float64
    shape: npt.NDArray[np.int64]
    edge: Bools


def trace(lens: Lens, shapes: tuple[Shape, ...]) -> Truth:
    """Intersect every pixel's ray with every shape."""
    origins, directions = lens.rays()
    depth = np.full(origins.shape[:2], np.inf)
    normal = np.zeros_like(origins)
    owner = np.full(depth.shape, -1, np.int64)
    side = np.full(depth.shape, -1, np.int64)
    to_camera = lens.to_world()[:3, :3]
    for index, shape in enumerate(shapes):
        inverse = np.linalg.inv(shape.to_world)
        start = origins @ inverse[:3, :3].T + inverse[:3, 3]
        along = directions @ inverse[:3, :3].T
        t, local, face = _HITS[shape.kind](start, along)
        nearer = t < depth
        # Points go by M, normals by its inverse transpose; then into the camera's axes.
        facing = local @ inverse[:3, :3]
        facing = facing / np.linalg.norm(facing, axis=-1, keepdims=True).clip(1e-300)
        facing = facing * -np.sign((facing * directions).sum(axis=-1, keepdims=True))
        depth[nearer] = t[nearer]
        normal[nearer] = (facing @ to_camera)[nearer]
        owner[nearer], side[nearer] = index, face[nearer]
    return Truth(depth, normal, owner, _edges(owner * 8 + side))


def _sphere(start: Float64, along: Float64) -> tuple[Float64, Float64, Any]:
    a = (along * along).sum(axis=-1)
    b = (start * along).sum(axis=-1)
    discriminant = b * b - a * ((start * start).sum(axis=-1) - 1)
    root = np.sqrt(discriminant.clip(0))
    t = np.where((-b - root) > 0, -b - root, -b + root) / a
    t = np.where((discriminant >= 0) & (t > 0), t, np.inf)
    return t, start + np.where(np.isfinite(t), t, 0)[..., None] * along, np.zeros(t.shape, np.int64)


def _box(start: Float64, along: Float64) -> tuple[Float64, Float64, Any]:
    safe = np.where(along == 0, 1e-300, along)
    t1, t2 = (-1 - start) / safe, (1 - start) / safe
    enter, leave = np.minimum(t1, t2), np.maximum(t1, t2)
    axis = enter.argmax(axis=-1)
    t = enter.max(axis=-1)
    t = np.where((t <= leave.min(axis=-1)) & (t > 0), t, np.inf)
    normal = np.eye(3)[axis] * -np.sign(along)
    return t, normal, axis * 2 + (np.take_along_axis(along, axis[..., None], -1)[..., 0] > 0)


def _plane(start: Float64, along: Float64) -> tuple[Float64, Float64, Any]:
    t = -start[..., 2] / np.where(along[..., 2] == 0, 1e-300, along[..., 2])
    at = start + np.where(np.isfinite(t), t, 0)[..., None] * along
    inside = (np.abs(at[..., :2]) <= 1).all(axis=-1) & (t > 0)
    normal = np.broadcast_to([0.0, 0.0, 1.0], start.shape)
    return np.where(inside, t, np.inf), normal.copy(), np.zeros(t.shape, np.int64)


_HITS = {ShapeKind.SPHERE: _sphere, ShapeKind.BOX: _box, ShapeKind.PLANE: _plane}


def _edges(label: npt.NDArray[np.int64]) -> Bools:
    """Pixels with another label among their eight neighbours."""
    padded = np.pad(label, 1, mode="edge")
    height, width = label.shape
    out = np.zeros(label.shape, bool)
    for dy in range(3):
        for dx in range(3):
            out |= padded[dy : dy + height, dx : dx + width] != label
    return out


def _square(matrix: Matrix) -> Float64:
    return np.array(matrix, np.float64).reshape(4, 4)
