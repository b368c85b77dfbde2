"""Measures on pictures. No model of ours in here; see `judge` for those that need one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy import linalg

from underpaint_starter.scenes.shards import Image8

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


def sharpness(image: Image8) -> float:
    """Variance of the Laplacian of the grey picture (0..255 scale)."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def frechet(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Fréchet distance between two sets of features (n, d), as in FID (Heusel et al. 2017)."""
    means = one.mean(0) - other.mean(0)
    first, second = (
        np.cov(part, rowvar=False) + 1e-6 * np.eye(part.shape[1]) for part in (one, other)
    )
    root = linalg.sqrtm(first @ second)
    return float(means @ means + np.trace(first + second - 2 * np.real(root)))
