"""Measures on pictures. No model of ours in here; see `judge` for those that need one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy import linalg

from underpaint_starter.scenes.shards import Image8

Mask = npt.NDArray[np.bool_]


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
