"""How far a picture reaches when it is projected: no farther than what its view saw. No bpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.buffers import Kind
from underpaint.requests import ImageRequest, InpaintRequest

from ..capture import capture_view
from ..image.again import kept_pictures

Floats = npt.NDArray[np.float32]
_MOST_SIDE = 2048
_SLOPE = 0.75  # px: a surface point lies up to half a pixel off the middle that was measured
_LEAST = 0.002  # of the depth: rounding, and what half floats leave of it


def reach(context: Any, request: ImageRequest | InpaintRequest, folder: Any) -> Floats:
    """(h, w), row 0 at the top: the depth, metres, up to which a point of the scene is seen; 0
    where nothing was. By the depth that the view was captured with, as `folder` keeps it beside
    the picture; else as the scene is now. Raises RequestError(CAPTURE_FAILED)."""
    view = request.view
    assert view is not None
    wanted = () if view.depth is None else (view.depth,)
    kept = kept_pictures(folder, request, wanted)
    if view.depth is not None and view.depth.sha256 in kept:
        return limits(kept[view.depth.sha256])
    camera = view.camera
    wants = frozenset({Kind.DEPTH})
    seen, arrays = capture_view(context, camera, camera.width, camera.height, wants)
    assert seen.depth is not None
    return limits(arrays[seen.depth.sha256])


def limits(depth: npt.NDArray[Any]) -> Floats:
    """Of a depth (h, w), metres, infinite where there is nothing: what still counts as its surface,
    by how steeply that goes off within a pixel. Edges of objects, whose pixels' middles lie beside
    them, reach as far as their neighbours."""
    step = -(-max(depth.shape) // _MOST_SIDE)
    far = depth[::step, ::step].astype(np.float32)
    seen = np.isfinite(far)
    known = np.where(seen, far, np.float32(np.nan))
    slope = sum(_slope(known, axis) for axis in (0, 1))
    limit = known * (1 + _LEAST) + _SLOPE * slope
    return np.where(seen, limit, _around(np.where(seen, limit, 0))).astype(np.float32)


def _slope(depth: Floats, axis: int) -> Floats:
    """How much the depth changes a pixel, the smaller of both sides: over an edge it leaps."""
    steps = np.abs(np.diff(depth, axis=axis))
    ends = [(1, 0), (0, 1)]
    sides = [
        np.pad(steps, [end if a == axis else (0, 0) for a in (0, 1)], constant_values=np.nan)
        for end in ends
    ]
    return np.nan_to_num(np.fmin(*sides)).astype(np.float32)


def _around(values: Floats) -> Floats:
    """The largest of each pixel's eight neighbours."""
    height, width = values.shape
    wide = np.pad(values, 1)
    return np.max([wide[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0)
