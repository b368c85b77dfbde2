"""The mesh a texture is painted on: triangle corners, checked and made ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import MeshRef

Array = npt.NDArray[Any]
MAX_TRIANGLES = 20_000_000
_DEGENERATE_AREA = 1e-12  # of the squared bounding diagonal
_NO_UV_AREA = 1e-12  # of one tile
_FARTHEST, _SMALLEST = 1e12, 1e-9  # metres: what float32 can still square


@dataclass(frozen=True, slots=True)
class Mesh:
    """A triangulated mesh as corner arrays: L triangles, 3L rows, three rows a triangle.

    position (3L, 3) float32 world metres, Z up. normal (3L, 3) float32 world, unit. uv (3L, 2)
    float32, V up; UDIM tile 1001 is [0, 1)². ids (3L, 2) int32: object and material, from 1.
    warnings: what was mended or should be known, in sentences for the artist.
    """

    position: Tensor
    normal: Tensor
    uv: Tensor
    ids: Tensor
    warnings: tuple[str, ...] = ()

    @property
    def triangles(self) -> int:
        return self.position.shape[0] // 3

    @property
    def faces(self) -> Tensor:
        """(L, 3) int64: row numbers of each triangle's corners."""
        return torch.arange(self.position.shape[0], device=self.position.device).reshape(-1, 3)

    @property
    def bounds(self) -> tuple[Tensor, Tensor]:
        """The lowest and highest corner of the bounding box, (3,) each."""
        return self.position.amin(0), self.position.amax(0)

    @property
    def center(self) -> Tensor:
        """The centre of the bounding box, (3,) metres."""
        low, high = self.bounds
        return (low + high) / 2

    @property
    def radius(self) -> float:
        """The largest distance of a corner from `center`, metres."""
        return float((self.position - self.center).norm(dim=1).amax())

    def to(self, device: torch.device | str) -> Mesh:
        return replace(
            self,
            position=self.position.to(device),
            normal=self.normal.to(device),
            uv=self.uv.to(device),
            ids=self.ids.to(device),
        )

    def warn(self, message: str) -> Mesh:
        return replace(self, warnings=(*self.warnings, message))


def mesh_from_request(ref: MeshRef, buffers: Mapping[str, Array]) -> Mesh:
    """The mesh of a `TextureRequest`. Raises RequestError(BAD_MESH)."""
    return mesh_from_arrays(
        buffers[ref.position.sha256],
        buffers[ref.normal.sha256],
        buffers[ref.uv.sha256],
        buffers[ref.ids.sha256],
    )


def mesh_from_arrays(
    position: npt.ArrayLike,
    normal: npt.ArrayLike | None,
    uv: npt.ArrayLike | None,
    ids: npt.ArrayLike | None = None,
) -> Mesh:
    """A checked mesh from corner arrays (shapes as in `Mesh`).

    Without normals they are computed (smooth); without UVs, or where every UV triangle is empty,
    the mesh is unwrapped and says so. Degenerate triangles are dropped with a warning.
    Raises RequestError(BAD_MESH) with the fix for what cannot be mended.
    """
    points = _rows(position, 3, np.float32, "position")
    _require_triangles(points)
    _require_finite(points, "position", _BROKEN_VERTICES)
    _require_size(points)
    numbers = np.ones((len(points), 2), np.int32) if ids is None else _rows(ids, 2, np.int32, "ids")
    _require_rows(numbers, points, "ids")
    directions = smooth_normals(points) if normal is None else _unit_normals(normal, points)
    coordinates = _uv_rows(uv, points)
    mesh = Mesh(
        torch.from_numpy(points),
        torch.from_numpy(directions),
        torch.from_numpy(coordinates),
        torch.from_numpy(numbers),
    )
    mesh = _say_inside_out(_drop_degenerate(mesh))
    return mesh if uv is not None and _has_uv_area(mesh) else _unwrapped(mesh, uv is None)


def _rows(data: npt.ArrayLike, columns: int, dtype: Any, name: str) -> Array:
    array = np.array(data, dtype=dtype, order="C")  # own, writable: torch shares it
    if array.ndim != 2 or array.shape[1] != columns:
        _refuse(f"the mesh's {name} has shape {array.shape}; expected (3 × triangles, {columns})")
    return array


def _require_triangles(points: Array) -> None:
    if len(points) == 0:
        _refuse("the mesh has no triangles", "Choose an object with faces.")
    if len(points) % 3:
        _refuse(f"the mesh has {len(points)} corners, which is no whole number of triangles")
    if len(points) // 3 > MAX_TRIANGLES:
        _refuse(
            f"the mesh has {len(points) // 3} triangles; the limit is {MAX_TRIANGLES}",
            "Lower the subdivision level, or decimate the mesh.",
        )


_BROKEN_VERTICES = (
    "Look for a broken modifier or geometry-nodes division by zero, and delete or mend those "
    "vertices."
)
_BROKEN_UVS = "Unwrap those faces again, or remove the UV map to have a simple one made."


def _require_finite(array: Array, name: str, hint: str) -> None:
    bad = int((~np.isfinite(array).all(axis=1)).sum())
    if bad:
        _refuse(f"the mesh's {name} is NaN or infinite at {bad} of {len(array)} corners", hint)


def _require_size(points: Array) -> None:
    farthest = float(np.abs(points).max())
    extent = float(np.ptp(points.astype(np.float64), axis=0).max())
    if farthest > _FARTHEST or 0 < extent < _SMALLEST:
        _refuse(
            f"the mesh is {extent:.3g} m across and reaches {farthest:.3g} m from the origin; "
            f"{_SMALLEST:g} m across to {_FARTHEST:g} m away can be painted",
            "Apply a scale that brings it to its real size, and move it nearer to the origin.",
        )


def _require_rows(array: Array, points: Array, name: str) -> None:
    if len(array) != len(points):
        _refuse(f"the mesh has {len(points)} corners but {len(array)} rows of {name}")


def _uv_rows(uv: npt.ArrayLike | None, points: Array) -> Array:
    if uv is None:
        return np.zeros((len(points), 2), np.float32)
    coordinates = _rows(uv, 2, np.float32, "uv")
    _require_rows(coordinates, points, "uv")
    _require_finite(coordinates, "uv", _BROKEN_UVS)
    return coordinates


def _unit_normals(normal: npt.ArrayLike, points: Array) -> Array:
    """The given normals made unit; smooth ones where they are zero or not finite."""
    given = _rows(normal, 3, np.float32, "normal")
    _require_rows(given, points, "normal")
    length = np.linalg.norm(given, axis=1, keepdims=True)
    good = np.isfinite(length) & (length > 1e-6)
    if good.all():
        return np.asarray(given / length, dtype=np.float32)
    return np.where(good, given / np.where(good, length, 1), smooth_normals(points)).astype("f4")


def weld(points: Array) -> Array:
    """Vertex numbers (N,) int64 of points (N, 3) float32: equal where the points are equal.

    By a 64-bit hash, an order of magnitude faster than sorting rows; among 60 million corners two
    places share one about once in ten thousand meshes.
    """
    bits = (np.ascontiguousarray(points, np.float32) + np.float32(0)).view(np.uint32)
    key = np.zeros(len(points), np.uint64)
    for axis in range(3):  # +0 above made -0 and 0 the same bits
        key = (key ^ bits[:, axis]) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64)


def smooth_normals(points: Array) -> Array:
    """Vertex normals (3L, 3) float32: area-weighted over the triangles that share a position."""
    corners = points.reshape(-1, 3, 3).astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    vertex = weld(points)
    summed = np.stack(
        [np.bincount(vertex, weights=np.repeat(cross[:, k], 3)) for k in range(3)], axis=1
    )[vertex]
    own = np.repeat(cross, 3, axis=0)
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    size = np.linalg.norm(own, axis=1, keepdims=True)
    # A fold so sharp that its sides cancel keeps each side's own normal.
    chosen = np.where(length > 1e-3 * size, summed, own)
    chosen /= np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-300)
    return np.asarray(chosen, dtype=np.float32)


def face_cross(mesh: Mesh) -> Tensor:
    """(L, 3) float64: each triangle's winding normal times twice its area."""
    a, b, c = mesh.position.double().reshape(-1, 3, 3).unbind(1)
    cross: Tensor = torch.linalg.cross(b - a, c - a)
    return cross


def face_normals(mesh: Mesh) -> Tensor:
    """(L, 3) float32 unit winding normals."""
    cross = face_cross(mesh)
    normals: Tensor = cross / cross.norm(dim=1, keepdim=True).clamp(min=1e-300)
    return normals.float()


def uv_double_areas(mesh: Mesh) -> Tensor:
    """(L,) float64 signed: twice each triangle's area in UV; negative = mirrored."""
    a, b, c = mesh.uv.double().reshape(-1, 3, 2).unbind(1)
    u, v = b - a, c - a
    area: Tensor = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return area


def is_inside_out(mesh: Mesh) -> bool:
    """True when the mesh is closed and its winding faces inward: inside-out, or a room."""
    cross = face_cross(mesh)
    total = float(cross.norm(dim=1).sum())
    if float(cross.sum(0).norm()) > 0.01 * total:
        return False  # open surfaces have no inside
    a = mesh.position.double().reshape(-1, 3, 3)[:, 0] - mesh.center.double()
    return float((a * cross).sum()) < -1e-6 * total * mesh.radius


def select_triangles(mesh: Mesh, keep: Tensor) -> Mesh:
    """The triangles (L,) bool of a mesh."""
    rows = keep.repeat_interleave(3)
    return replace(
        mesh,
        position=mesh.position[rows],
        normal=mesh.normal[rows],
        uv=mesh.uv[rows],
        ids=mesh.ids[rows],
    )


def _drop_degenerate(mesh: Mesh) -> Mesh:
    diagonal = float((mesh.bounds[1] - mesh.bounds[0]).double().norm())
    solid = face_cross(mesh).norm(dim=1) > _DEGENERATE_AREA * diagonal**2
    dropped = int((~solid).sum())
    if dropped == 0:
        return mesh
    if dropped == mesh.triangles:
        _refuse("every triangle of the mesh is degenerate: it has no area")
    return select_triangles(mesh, solid).warn(
        f"{dropped} degenerate triangles (no area) were left out."
    )


def _say_inside_out(mesh: Mesh) -> Mesh:
    if not is_inside_out(mesh):
        return mesh
    return mesh.warn(
        "The mesh is closed and its faces point inward: it is painted as a room, from within. "
        "If it is an object, recalculate its normals to the outside."
    )


def _has_uv_area(mesh: Mesh) -> bool:
    return bool((uv_double_areas(mesh).abs() > _NO_UV_AREA).any())


def _unwrapped(mesh: Mesh, absent: bool) -> Mesh:
    from .unwrap import unwrap

    why = "has no UV map" if absent else "has a UV map without any area"
    return replace(mesh, uv=unwrap(mesh)).warn(
        f"The mesh {why}; a simple one was made (charts by direction). Unwrap it for a better one."
    )


def _refuse(message: str, hint: str | None = None) -> NoReturn:
    raise RequestError(ErrorCode.BAD_MESH, message, hint=hint)
