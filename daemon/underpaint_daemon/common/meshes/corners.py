"""The triangle corners of a mesh, checked: what is wrong with them is said before anything heavy
is loaded. Client and worker use the same checks. No torch."""

from __future__ import annotations

from collections.abc import Callable
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
from .normals import parts, smooth_normals, uv_double_areas, winding

Array = npt.NDArray[Any]
MAX_TRIANGLES = 20_000_000
_DEGENERATE_AREA = 1e-12  # of the squared bounding diagonal
_NO_UV_AREA = 1e-12  # of one tile
_SMALLEST = 1e-9  # metres: what float32 can still square
_BROKEN_UVS = "Unwrap those faces again, or remove the UV map to have one made."


@dataclass(frozen=True, slots=True)
class Corners:
    """Checked corners of L triangles, three rows each.

    position (3L, 3) float32 world metres, Z up. normal (3L, 3) float32, unit. uv (3L, 2) float32,
    V up. ids (3L, 2) int32: object and material, from 1. source (L,) int32: which of the given
    triangles each is. bare (L,) bool: triangles that have no UVs. warnings: for the artist. UVs
    and ids that are all the same may be views of one row, and read-only.
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
    places: Callable[[], tuple[Array, Array]] | None = None,
) -> Corners:
    """Corners (shapes as in `Corners`) that can be painted.

    Without normals they are computed (smooth). Degenerate triangles, and a few whose corners have
    no place, are dropped with a warning. Without UVs, or where every UV triangle is empty, all
    triangles are `bare`. partly: single triangles may be bare too, where UVs are NaN or infinite;
    else those are refused. given_away: the caller's arrays become the corners' own, and may change.
    called: what the artist calls the vertex of a corner, by its row. places: `weld` of a table of
    positions, and the row of each corner in it, for who has them.
    Raises RequestError(BAD_MESH) with the fix for what cannot be mended.
    """
    copied = not given_away
    points = _rows(position, 3, np.float32, "position", copied)
    _require_triangles(points)
    numbers = (
        _alike(np.int32(1), points, copied)
        if ids is None
        else _rows(ids, 2, np.int32, "ids", copied)
    )
    _require_rows(numbers, points, "ids")
    coordinates, bare = _uv_rows(uv, points, partly, copied)
    source = np.arange(len(points) // 3, dtype=np.int32)
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
    if not copied and isinstance(data, np.ndarray) and data.dtype == dtype:
        array = data
    else:
        array = np.require(data, dtype, ("C", "W"))  # writable: torch shares it
    if copied and isinstance(data, np.ndarray) and np.may_share_memory(array, data):
        array = array.copy()
    if array.ndim != 2 or array.shape[1] != columns:
        _refuse(f"the mesh's {name} has shape {array.shape}; expected (3 × triangles, {columns})")
    return array


def _alike(value: Any, points: Array, copied: bool) -> Array:
    """(3L, 2) of one number; where nothing is copied, a view of it."""
    found = np.broadcast_to(value, (len(points), 2))
    return found.copy() if copied else found


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
        bare = np.ones(len(points) // 3, bool)
        return _alike(np.float32(0), points, copied), bare
    coordinates = _rows(uv, 2, np.float32, "uv", copied)
    _require_rows(coordinates, points, "uv")
    bare = np.zeros(len(points) // 3, bool)
    if partly:
        bare = np.asarray(~np.isfinite(coordinates).reshape(-1, 6).all(axis=1))
        coordinates[bare.repeat(3)] = 0
    _require_finite(coordinates, "uv", _BROKEN_UVS)
    return coordinates, bare


def _unit_normals(
    given: Array | None, corners: Corners, places: Callable[[], tuple[Array, Array]] | None
) -> Array:
    """The given normals made unit, in place; smooth ones where they are zero or not finite."""
    if given is None:
        return _smooth_of(corners, places)
    bad = np.empty(len(given), bool)
    for at in parts(len(given) // 3):
        rows = given[3 * at.start : 3 * at.stop]
        length = np.linalg.norm(rows, axis=1)
        here = ~(np.isfinite(length) & (length > 1e-6))
        length[here] = 1
        with np.errstate(invalid="ignore"):
            rows /= length[:, None]
        bad[3 * at.start : 3 * at.stop] = here
    if bad.any():
        given[bad] = _smooth_of(corners, places, bad)
    return given


def _smooth_of(
    corners: Corners,
    places: Callable[[], tuple[Array, Array]] | None,
    only: Array | None = None,
) -> Array:
    if places is None:
        return smooth_normals(corners.position, only=only)
    vertex, rows = places()
    if len(rows) > len(corners.position):
        rows = rows.reshape(-1, 3)[corners.source].reshape(-1)
    return smooth_normals(corners.position, vertex, rows, only)


def _solid(corners: Corners) -> Corners:
    low, high = corners.position.min(axis=0), corners.position.max(axis=0)
    diagonal = float(np.linalg.norm((high - low).astype(np.float64)))
    solid = np.empty(corners.triangles, bool)
    for here in parts(corners.triangles):
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
