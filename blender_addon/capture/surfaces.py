"""Surfaces going into a capture and geometry per pixel coming out: plain numpy, no Blender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]
Matrix4 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Triangles:
    """One evaluated mesh in its own space; L triangles, 3L corners.

    `position` (3L, 3) metres, `normal` (3L, 3) unit shading normals, `uv` (3L, 2) the map that
    renders use or None, `material` (L,) material slot from 0, `vertex` (3L,) the mesh's vertex at
    each corner, `faces` the vertices of the mesh's own faces, one after another: its topology.
    """

    position: Float32
    normal: Float32
    uv: Float32 | None
    material: Int32
    vertex: Int32
    faces: Int32

    @property
    def face_normal(self) -> Float32:
        """(3L, 3): each triangle's own plane normal, not unit, once per corner."""
        a, b, c = self.position[0::3], self.position[1::3], self.position[2::3]
        return np.repeat(np.cross(b - a, c - a), 3, axis=0).astype(np.float32)

    def slot(self, count: int) -> Int32:
        """(L,): the material slot of each triangle among `count`; Blender takes the last one
        for faces that point beyond the object's slots."""
        return self.material.clip(0, count - 1)


@dataclass(frozen=True, slots=True)
class Indexed:
    """One evaluated mesh as Blender keeps it, copied: what is left to do needs no Blender.

    `corner` (3L,): of each triangle corner, its place among the C face corners; `vertex` (C,);
    `position` (V, 3); `normal` (C, 3); `uv` (C, 2) or None; `face` (L,); `material` (F,).
    """

    corner: Int32
    vertex: Int32
    position: Float32
    normal: Float32
    uv: Float32 | None
    face: Int32
    material: Int32

    def triangles(self) -> Triangles:
        """The corners one by one."""
        uv = None if self.uv is None else self.uv[self.corner]
        vertex, normal = self.vertex[self.corner], self.normal[self.corner]
        material = self.material[self.face]
        return Triangles(self.position[vertex], normal, uv, material, vertex, self.vertex)


@dataclass(frozen=True, slots=True)
class Placed:
    """Triangles in the world. `to_world` (4, 4); `object_id` from 1; `colors` (M, 3) of the
    material slots, scene-linear, at least one; `key`: the same for the same instance in every
    frame."""

    triangles: Triangles
    to_world: Matrix4
    object_id: int
    colors: Float32
    key: str


@dataclass(frozen=True, slots=True)
class Passes:
    """Row 0 is the top row. Where `object_id` is 0 the other arrays mean nothing.

    `position` (h, w, 3) float32, camera space, metres (−z is the depth); `normal` (h, w, 3)
    float32, camera space, unit, on the viewer's side of the face; `uv` (h, w, 2)
    float32, NaN where the mesh has no map; `object_id` (h, w) int32; `color` (h, w, 3) float32
    scene-linear, the material's viewport colour. Where on the surface a pixel lies: `item` (h, w)
    int32 which of those placed, `triangle` (h, w) int32 which of its triangles, `weights` (h, w, 2)
    float32 the barycentric weights of the triangle's first two corners.
    """

    position: Float32
    normal: Float32
    uv: Float32
    object_id: Int32
    color: Float32
    item: Int32
    triangle: Int32
    weights: Float32


def normal_matrix(view: Matrix4) -> Matrix4:
    """(4, 4): takes normals where `view` takes points. By cofactors, so that objects flattened
    to zero thickness have one too; scaled to keep float32 in range."""
    a = view[:3, :3]
    cofactor = np.stack([np.cross(a[1], a[2]), np.cross(a[2], a[0]), np.cross(a[0], a[1])])
    if np.linalg.det(a) < 0:
        cofactor = -cofactor
    out = np.eye(4)
    out[:3, :3] = cofactor / max(float(np.abs(cofactor).max()), 1e-30)
    return out
