"""Lines drawn from the form: where depth breaks, surfaces crease, and objects end.

White on black, as the lineart, canny, softedge and scribble ControlNets read them (ControlNet
1.1's README). They follow the geometry exactly, whatever its colours and light.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from underpaint.requests import ControlKind

Image8 = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
_BREAK = 0.015
"""Second difference of inverse depth, relative to it: 0 on any plane, however steep."""
_CREASE_COS = float(np.cos(np.radians(30)))
_REFERENCE_SIDE = 512
_SOFT_SIGMA = 2.0
_SCRIBBLE_WIDTH = 7


def form_lines(
    kind: ControlKind,
    depth: npt.NDArray[Any] | None,
    normal: Image8 | None,
    object_id: npt.NDArray[Any] | None,
) -> Image8:
    """Lines of a view, (h, w, 3) uint8. `depth` (h, w) metres, `normal` (h, w, 3) encoded,
    `object_id` (h, w); what is None takes no part, one at least is needed."""
    marks = [
        found
        for found in (
            None if depth is None else _breaks(depth),
            None if normal is None else _creases(normal),
            None if object_id is None else _borders(object_id),
        )
        if found is not None
    ]
    edges = np.any(marks, axis=0).astype(np.uint8) * 255
    return _drawn(kind, edges)


def _drawn(kind: ControlKind, edges: Image8) -> Image8:
    """Thin lines in the way of a kind: crisp, smooth, soft or thick."""
    scale = max(0.25, min(edges.shape) / _REFERENCE_SIDE)
    if kind is ControlKind.SCRIBBLE:
        width = max(3, round(_SCRIBBLE_WIDTH * scale) | 1)
        edges = cv2.dilate(edges, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    elif kind is ControlKind.SOFTEDGE:
        soft = cv2.GaussianBlur(edges.astype(np.float32), (0, 0), _SOFT_SIGMA * scale)
        edges = (soft / max(float(soft.max()), 1.0) * 255).astype(np.uint8)
    elif kind is ControlKind.LINEART:
        edges = cv2.GaussianBlur(edges, (0, 0), 0.6)
    return np.repeat(edges[..., None], 3, axis=2)


def _breaks(depth: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    inverse = np.where(np.isfinite(depth), 1 / np.maximum(depth, 1e-6), 0).astype(np.float32)
    found = np.zeros(depth.shape, bool)
    for axis in (0, 1):
        before, here, after = _three(inverse, axis)
        largest = np.maximum(np.maximum(before, here), after)
        bent = np.abs(before - 2 * here + after) > _BREAK * np.maximum(largest, 1e-9)
        # The nearer side of a step is the one whose outline it is.
        found |= bent & (here >= np.minimum(before, after)) & (here > 0)
    return found


def _creases(normal: Image8) -> npt.NDArray[np.bool_]:
    vectors = normal.astype(np.float32) / 127.5 - 1
    found = np.zeros(normal.shape[:2], bool)
    for axis in (0, 1):
        _, here, after = _three(vectors, axis)
        found |= (here * after).sum(-1) < _CREASE_COS
    return found


def _borders(object_id: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    found = np.zeros(object_id.shape, bool)
    for axis in (0, 1):
        _, here, after = _three(object_id, axis)
        found |= here != after
    return found


def _three(image: npt.NDArray[Any], axis: int) -> tuple[Any, Any, Any]:
    """Each pixel's neighbour before, itself, and the one after; the border repeats."""
    rest = [(0, 0)] * image.ndim
    rest[axis] = (1, 1)
    wide = np.pad(image, rest, mode="edge")
    n = image.shape[axis]
    return tuple(wide.take(range(i, i + n), axis) for i in range(3))  # type: ignore[return-value]
