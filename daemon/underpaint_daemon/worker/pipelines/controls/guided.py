"""The guide of a view: its surface from the captured buffers, and the size of its pattern."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from underpaint.cameras import unproject
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import (
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Pattern,
    TextureRequest,
    View,
)

from ...ground import floor_of, ground_at, heights_of
from ...guide import guide_control
from ..canvas import Canvas

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Image8 = npt.NDArray[np.uint8]
R = TypeVar("R", bound=ImageRequest | InpaintRequest | TextureRequest)
UNITS_OF_OWN_UV = 12
"""Pattern units across a UV square, when the artist has not said."""
# A unit's share of half the frame at the objects: in the middle of what the starter is trained on.
_SHARE = 0.16
_NICE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Surface:
    """What each pixel shows: `position` (h, w, 3) world metres, not finite = background; `normal`
    (h, w, 3) world; `uv` (h, w, 2) of the mesh."""

    position: Array
    normal: Array
    uv: Array | None = None


def with_pattern(request: R, arrays: Arrays) -> R:
    """The request with the size of its pattern and the floor that the guide leaves out, where it
    follows a guide and has none: one size for a whole mesh, else what suits the view. They go into
    the recipe with the rest."""
    pattern = request.pattern
    if not any(c.kind is ControlKind.GUIDE and c.image is None for c in request.controls or ()):
        return request
    if pattern.size is None and not pattern.own_uv:
        pattern = replace(pattern, size=_size_of(request, arrays))
    if not (isinstance(request, TextureRequest) or request.view is None or pattern.ground):
        pattern = replace(pattern, floor=_floor_of(request.view, arrays, pattern))
    return replace(request, pattern=pattern)


def _size_of(request: R, arrays: Arrays) -> float | None:
    if isinstance(request, TextureRequest):
        return mesh_size_of(arrays[request.mesh.position.sha256])
    return None if request.view is None else view_size_of(request.view, arrays)


def _floor_of(view: View, arrays: Arrays, pattern: Pattern) -> float | None:
    if pattern.floor is not None:
        return pattern.floor
    whole = surface_of(view, arrays, replace(pattern, ground=True))
    return floor_of(heights_of(whole.position, whole.normal))


def surface_of(view: View, arrays: Arrays, pattern: Pattern) -> Surface:
    """What of a captured view wears a pattern, at its own resolution: all but the floor, by its
    positions where it has them, else by depth and camera.

    Raises RequestError(BAD_REQUEST) when it has neither.
    """
    if view.depth is None and view.position is None:
        raise RequestError(
            ErrorCode.BAD_REQUEST, "The guide control needs a view with depth or positions"
        )
    position = _positions(view, arrays)
    uv = None if view.uv is None else arrays[view.uv.sha256]
    normal = _normals(view, arrays, position)
    if not pattern.ground:
        ground = ground_at(heights_of(position, normal), pattern.floor)
        position = np.where(ground[..., None], np.inf, position)
    return Surface(position, normal, uv)


def guide_of(surface: Surface, canvas: Canvas, pattern: Pattern) -> Image8:
    """The guide (h, w, 3) at the canvas's padded size, of a pattern whose size is known."""
    at, facing = canvas.nearest(surface.position), canvas.nearest(surface.normal)
    if not pattern.own_uv:
        assert pattern.size is not None
        return guide_control(at, facing, pattern.size, pattern.seed)
    if surface.uv is None:
        raise RequestError(ErrorCode.BAD_REQUEST, "pattern.own_uv needs a view with the mesh's UVs")
    size = pattern.size or 1 / UNITS_OF_OWN_UV
    uv = canvas.nearest(surface.uv) / size
    return guide_control(at, facing, _metres(at, uv), pattern.seed, uv)


def view_size_of(view: View, arrays: Arrays) -> float:
    """The pattern size, in metres, that suits what a view shows."""
    depth = _depths(view, arrays)
    middle = float(np.median(depth)) if depth.size else 1.0
    scale = view.camera.projection_matrix[0, 0]
    half = 1 / scale if view.camera.orthographic else middle / scale
    return automatic_size(abs(half))


def mesh_size_of(corners: Array) -> float:
    """The pattern size, in metres, that suits a whole mesh: of its corners (n, 3), world metres."""
    extent = corners.max(0) - corners.min(0)
    return automatic_size(float(extent.max()) / 2)


def automatic_size(half_frame: float) -> float:
    """A round number of metres, for what is seen in a frame of twice `half_frame` metres: round,
    so that it does not change with every small move of a camera."""
    exact = max(_SHARE * half_frame, 1e-5)
    power = 10.0 ** math.floor(math.log10(exact))
    nice = min(_NICE, key=lambda number: abs(math.log(number * power / exact)))
    return float(f"{nice * power:.3g}")


def _metres(at: Array, uv: Array) -> float:
    """Metres of a pattern unit laid out by UVs, for its noise: as far as the surface goes in one,
    by the middle of all neighbouring pixels."""
    far = np.linalg.norm(np.diff(at, axis=1), axis=-1)
    along = np.linalg.norm(np.diff(uv, axis=1), axis=-1)
    known = np.isfinite(far) & (along > 1e-6) & (along < 1)
    return float(np.median(far[known] / along[known])) if known.any() else 1.0


def _positions(view: View, arrays: Arrays) -> Array:
    if view.position is None:
        assert view.depth is not None
        depth = arrays[view.depth.sha256].astype(np.float64)
        finite = np.isfinite(depth)
        at = unproject(view.camera, np.where(finite, depth, 1.0))
        at[~finite] = np.inf
        return at
    position = arrays[view.position.sha256][..., :3].astype(np.float64)
    if view.depth is not None:
        position[~np.isfinite(arrays[view.depth.sha256])] = np.inf
    return position


def _depths(view: View, arrays: Arrays) -> Array:
    """Finite depths in metres, in one row."""
    if view.depth is not None:
        depth = arrays[view.depth.sha256]
        return depth[np.isfinite(depth)]
    at = _positions(view, arrays).reshape(-1, 3)
    rotation, offset = view.camera.view_matrix[:3, :3], view.camera.view_matrix[:3, 3]
    seen = at[np.isfinite(at).all(-1)]
    along: Array = -(seen @ rotation.T + offset)[:, 2]
    return along


def _normals(view: View, arrays: Arrays, position: Array) -> Array:
    """World normals: the captured ones turned out of camera space, else from the positions."""
    if view.normal is not None:
        camera = arrays[view.normal.sha256].astype(np.float64) / 127.5 - 1
        turned: Array = camera @ view.camera.view_matrix[:3, :3]
        return turned
    with np.errstate(invalid="ignore"):
        down, right = np.gradient(position, axis=(0, 1))
        facing = np.nan_to_num(np.cross(down, right), posinf=0.0, neginf=0.0)
    length = np.linalg.norm(facing, axis=-1, keepdims=True)
    out: Array = facing / np.maximum(length, 1e-12)
    return out
