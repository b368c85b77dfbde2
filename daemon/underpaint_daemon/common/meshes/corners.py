"""The triangle corners of a mesh, checked: what is wrong with them is said before anything heavy
is loaded. Client and worker use the same checks. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError

from .lost import (
    FARTHEST,
    MEND,
    MOST_LOST,
    lost_triangles,
    refuse_lost,
    told_of_lost,
    told_of_strays,
)

Array = npt.NDArray[Any]
MAX_TRIANGLES = 20_000_000
_DEGENERATE_AREA = 1e-12  # of the squared bounding diagonal
_NO_UV_AREA = 1e-12  # of one tile
_AT_ONCE = 1 << 13  # triangles
_SMALLEST = 1e-9  # metres: what float32 can still square
_BROKEN_UVS = "Unwrap those faces again, or remove the UV map to have one made."


@dataclass(frozen=True, slots=True)
class Corners:
    """Checked corners of L triangles, three rows each.

    position (3L, 3) float32 world metres, Z up. normal (3L, 3) float32, unit. uv (3L, 2) float32,
    V up. ids (3L, 2) int32: object and material, from 1. source (L,) int64: which of the given
    triangles each is. bare (L,) bool: triangles that have no UVs. warnings: for the artist.
    """

    position: Array
    normal: Array
    uv: Array
    ids: Array
    source: Array
    bare: Array
    warnings: tuple[str, ...] = ()

    @property
    def triangles(self) -> int:
        return len(self.source)

    def select(self, keep: Array) -> Corners:
        """The triangles that `keep` (L,) bool names."""
        rows = keep.repeat(3)
        return replace(
            self,
            position=self.position[rows],
            normal=self.normal[rows],
            uv=self.uv[rows],
            ids=self.ids[rows],
            source=self.source[keep],
            bare=self.bare[keep],
        )

    def warn(self, message: str) -> Corners:
        return replace(self, warnings=(*self.warnings, message))


def checked(
    position: npt.ArrayLike,
    normal: npt.ArrayLike | None,
    uv: npt.ArrayLike | None,
    ids: npt.ArrayLike | None = None,
    *,
    partly: bool = False,
    given_away: bool = False,
    called: Callable[[int], str] | None = None,
    places: Callable[[], Array] | None = None,
) -> Corners:
    """Corners (shapes as in `Corners`) that can be painted.

    Without normals they are computed (smooth). Degenerate triangles, and a few whose corners have
    no place, are dropped with a warning. Without UVs, or where every UV triangle is empty, all
    triangles are `bare`. partly: single triangles may be bare too, where UVs are NaN or infinite;
    else those are refused. given_away: the caller's arrays become the corners' own, and may change.
    called: what the artist calls the vertex of a corner, by its row. places: `weld` of the
    positions, for who has it for less.
    Raises RequestError(BAD_MESH) with the fix for what cannot be mended.
    """
    copied = not given_away
    points = _rows(position, 3, np.float32, "position", copied)
    _require_triangles(points)
    numbers = (
        np.ones((len(points), 2), np.int32)
        if ids is None
        else _rows(ids, 2, np.int32, "ids", copied)
    )
    _require_rows(numbers, points, "ids")
    coordinates, bare = _uv_rows(uv, points, partly, copied)
    source = np.arange(len(points) // 3)
    directions = points if normal is None else _rows(normal, 3, np.float32, "normal", copied)
    _require_rows(directions, points, "normal")
    given = _found(Corners(points, directions, coordinates, numbers, source, bare), called)
    _require_size(given.position)
    unit = _unit_normals(None if normal is None else given.normal, given, places)
    solid = _solid(replace(given, normal=unit))
    if not (np.abs(uv_double_areas(solid.uv)) > _NO_UV_AREA).any():
        solid = replace(solid, bare=np.ones(solid.triangles, bool))
    return solid


def _rows(data: npt.ArrayLike, columns: int, dtype: Any, name: str, copied: bool = True) -> Array:
    array = np.require(data, dtype, ("C", "W"))  # writable: torch shares it
    if copied and isinstance(data, np.ndarray) and np.may_share_memory(array, data):
        array = array.copy()
    if array.ndim != 2 or array.shape[1] != columns:
        _refuse(f"the mesh's {name} has shape {array.shape}; expected (3 × triangles, {columns})")
    return array


def _require_triangles(points: Array) -> None:
    if len(points) == 0:
        _refuse("the mesh has no triangles", "Choose an object with faces.")
    if len(points) % 3:
        _refuse(f"the mesh has {len(points)} corners, which is no whole number of triangles")
    require_count(len(points) // 3)


def require_count(triangles: int) -> None:
    """Raise RequestError(BAD_MESH) when so many triangles are too many."""
    if triangles > MAX_TRIANGLES:
        _refuse(
            f"the mesh has {triangles} triangles; the limit is {MAX_TRIANGLES}",
            "Lower the subdivision level, or decimate the mesh.",
        )


def _require_finite(array: Array, name: str, hint: str) -> None:
    bad = int((~np.isfinite(array).all(axis=1)).sum())
    if bad:
        _refuse(f"the mesh's {name} is NaN or infinite at {bad} of {len(array)} corners", hint)


def _found(corners: Corners, called: Callable[[int], str] | None) -> Corners:
    """Without the few triangles whose corners are nowhere."""
    points = corners.position
    lost = lost_triangles(points)
    if lost.any():
        _require_nearness(points)
        refuse_lost(points, lost, called)
        said = told_of_lost(points, lost, called)
        return corners.select(~lost).warn(f"{said}. They are not painted. {MEND}")
    strays = told_of_strays(points, called)
    return corners if strays is None else corners.warn(strays)


def _require_nearness(points: Array) -> None:
    """What is all there, and far beyond reach, is a matter of its scale."""
    farthest = float(np.abs(points).max())
    if np.isfinite(farthest) and lost_triangles(points).mean() > MOST_LOST:
        _refuse_size(points, farthest)


def _require_size(points: Array) -> None:
    """Of places that are all within reach."""
    if 0 < float(np.ptp(points, axis=0).max()) < _SMALLEST:
        _refuse_size(points, float(np.abs(points).max()))


def _refuse_size(points: Array, farthest: float) -> NoReturn:
    extent = float(np.ptp(points.astype(np.float64), axis=0).max())
    _refuse(
        f"the mesh is {extent:.3g} m across and reaches {farthest:.3g} m from the origin; "
        f"{_SMALLEST:g} m across to {FARTHEST:g} m away can be painted",
        "Apply a scale that brings it to its real size, and move it nearer to the origin.",
    )


def _require_rows(array: Array, points: Array, name: str) -> None:
    if len(array) != len(points):
        _refuse(f"the mesh has {len(points)} corners but {len(array)} rows of {name}")


def _uv_rows(
    uv: npt.ArrayLike | None, points: Array, partly: bool, copied: bool
) -> tuple[Array, Array]:
    """UVs, zeros where there are none, and the triangles (L,) bool that have none."""
    if uv is None:
        return np.zeros((len(points), 2), np.float32), np.ones(len(points) // 3, bool)
    coordinates = _rows(uv, 2, np.float32, "uv", copied)
    _require_rows(coordinates, points, "uv")
    bare: Array = np.zeros(len(points) // 3, bool)
    if partly:
        bare = np.asarray(~np.isfinite(coordinates).reshape(-1, 6).all(axis=1))
        coordinates[bare.repeat(3)] = 0
    _require_finite(coordinates, "uv", _BROKEN_UVS)
    return coordinates, bare


def _unit_normals(
    given: Array | None, corners: Corners, places: Callable[[], Array] | None
) -> Array:
    """The given normals made unit, in place; smooth ones where they are zero or not finite."""
    if given is None:
        return _smooth_of(corners, places)
    length = np.concatenate(
        [
            np.linalg.norm(given[3 * at.start : 3 * at.stop], axis=1)
            for at in _parts(len(given) // 3)
        ]
    )
    bad = ~(np.isfinite(length) & (length > 1e-6))
    length[bad] = 1
    with np.errstate(invalid="ignore"):
        given /= length[:, None]
    if bad.any():
        given[bad] = _smooth_of(corners, places)[bad]
    return given


def _smooth_of(corners: Corners, places: Callable[[], Array] | None) -> Array:
    if places is None:
        return smooth_normals(corners.position)
    vertex = places()
    if len(vertex) > len(corners.position):
        vertex = vertex.reshape(-1, 3)[corners.source].reshape(-1)
    return smooth_normals(corners.position, vertex)


def weld(points: Array) -> Array:
    """Vertex numbers (N,) int64 of points (N, 3) float32: equal where the points are equal.

    By a 64-bit hash, an order of magnitude faster than sorting rows; among 60 million corners two
    places share one about once in ten thousand meshes.
    """
    key = np.zeros(len(points), np.uint64)
    for axis in range(3):  # +0 makes -0 and 0 the same bits
        key ^= (points[:, axis].astype(np.float32) + np.float32(0)).view(np.uint32)
        key *= np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64)


def smooth_normals(points: Array, vertex: Array | None = None) -> Array:
    """Vertex normals (3L, 3) float32: area-weighted over the triangles that share a position.
    vertex (3L,): `weld` of the points, where it is known."""
    cross = winding(points)
    cross[~np.isfinite(cross).all(axis=1)] = 0  # a corner without a place spoils no neighbour
    vertex = weld(points) if vertex is None else vertex
    sums = [np.bincount(vertex, weights=np.repeat(cross[:, k], 3)) for k in range(3)]
    summed = np.stack(sums, axis=1)
    normals = np.empty((len(points), 3), np.float32)
    for here in _parts(len(cross)):  # in doubles all at once takes several times the mesh
        corners = slice(3 * here.start, 3 * here.stop)
        normals[corners] = _chosen_normals(summed[vertex[corners]], np.repeat(cross[here], 3, 0))
    return normals


def _chosen_normals(summed: Array, own: Array) -> Array:
    """A fold so sharp that its sides cancel keeps each side's own normal."""
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    size = np.linalg.norm(own, axis=1, keepdims=True)
    chosen = np.where(length > 1e-3 * size, summed, own)
    return np.asarray(chosen / np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-300))


def _parts(triangles: int) -> Iterator[slice]:
    for start in range(0, triangles, _AT_ONCE):
        yield slice(start, min(start + _AT_ONCE, triangles))


def winding(points: Array) -> Array:
    """(L, 3) float64: each triangle's normal by its winding times twice its area."""
    corners = points.reshape(-1, 3, 3)
    cross = np.empty((len(corners), 3))
    for here in _parts(len(corners)):
        a, b, c = corners[here].astype(np.float64).transpose(1, 0, 2)
        with np.errstate(invalid="ignore", over="ignore"):  # corners that are nowhere
            cross[here] = np.cross(b - a, c - a)
    return cross


def uv_double_areas(uv: Array) -> Array:
    """(L,) float64 signed: twice each triangle's area in UV (3L, 2); negative = mirrored."""
    corners = uv.reshape(-1, 3, 2)
    areas = np.empty(len(corners))
    for here in _parts(len(corners)):
        a, b, c = corners[here].astype(np.float64).transpose(1, 0, 2)
        u, v = b - a, c - a
        areas[here] = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return areas


def _solid(corners: Corners) -> Corners:
    low, high = corners.position.min(axis=0), corners.position.max(axis=0)
    diagonal = float(np.linalg.norm((high - low).astype(np.float64)))
    solid = np.empty(corners.triangles, bool)
    for here in _parts(corners.triangles):
        points = corners.position[3 * here.start : 3 * here.stop]
        areas = np.linalg.norm(winding(points), axis=1)
        # Beside one corner that is far off, all others are small, and no less sound for it.
        reach = np.abs(points).reshape(-1, 9).max(axis=1).astype(np.float64)
        solid[here] = areas > _DEGENERATE_AREA * np.minimum(diagonal, reach) ** 2
    dropped = int((~solid).sum())
    if dropped == 0:
        return corners
    if dropped == corners.triangles:
        _refuse("every triangle of the mesh is degenerate: it has no area")
    return corners.select(solid).warn(f"{dropped} degenerate triangles (no area) were left out.")


def _refuse(message: str, hint: str | None = None) -> NoReturn:
    raise RequestError(ErrorCode.BAD_MESH, message, hint=hint)
