"""Whether a picture follows a scene: edges where the depth has them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def depth_edges(depth: npt.NDArray[np.float32], jump: float = 0.08) -> Mask:
    """(h, w) bool: pixels at which depth (metres, inf = background) jumps by more than `jump`
    of itself to the right or lower neighbour, or ends."""
    edges = np.zeros(depth.shape, bool)
    near = np.where(np.isfinite(depth), 1 / np.maximum(depth, 1e-6), 0)
    for axis in (0, 1):
        step = np.abs(np.diff(near, axis=axis))
        big = step > jump * np.maximum(np.delete(near, 0, axis), np.delete(near, -1, axis))
        edges[tuple(slice(0, n) for n in big.shape)] |= big
    return edges


def edge_recall(image: Image8, edges: Mask, reach: float = 2.0) -> float:
    """Share of the given edge pixels with an edge of the picture (Canny) within `reach` px; nan
    where there are none."""
    if not edges.any():
        return float("nan")
    seen = cv2.Canny(image, 40, 110)
    distance = cv2.distanceTransform(np.where(seen > 0, 0, 1).astype(np.uint8), cv2.DIST_L2, 5)
    return float((distance[edges] <= reach).mean())
