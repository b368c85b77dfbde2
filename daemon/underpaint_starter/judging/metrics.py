"""Measures on pictures. No network of ours in here; see `judge` and `materials` for those.

All of them look inside eroded masks of objects only: an outline is sharp in the softest painting.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from underpaint_starter.scenes.shards import Image8

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
WAVELENGTHS = (3.0, 4.5, 7.0, 11.0, 18.0, 30.0, 64.0)  # px, edges of the bands
_EDGE = 4  # px that are left out along an outline
_LEAST_SHARP = 1.0  # variance of the Laplacian below which a render has no detail to compare
_QUIET = 0.05  # grey levels squared: the noise of 8 bits, beneath which a band says nothing
_LOW_PASS = 4.0  # px, what is coarser is form and light rather than texture
_SUBSETS, _SUBSET = 100, 50
_NINE_OF_TEN = 1.645  # standard deviations


def interior(object_id: npt.NDArray[np.uint8], edge: int = _EDGE) -> Mask:
    """(h, w) bool: pixels on an object (id 2 and above) at least `edge` px from its outline and
    from the picture's border."""
    out = np.zeros(object_id.shape, bool)
    kernel = np.ones((2 * edge + 1, 2 * edge + 1), np.uint8)
    for number in np.unique(object_id[object_id >= 2]):
        one = (object_id == number).astype(np.uint8)
        out |= cv2.erode(one, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    return out


def sharpness_inside(image: Image8, inside: Mask) -> float:
    """Variance of the Laplacian of the grey picture (0..255) at `inside`."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F)[inside].var())


def sharpness_ratio(painted: Sequence[float], true: Sequence[float]) -> float:
    """Median over the scenes of painted over true sharpness inside. Scenes whose render has no
    detail are left out: they have nothing to be sharp."""
    pairs = zip(painted, true, strict=True)
    ratios = [mine / theirs for mine, theirs in pairs if theirs > _LEAST_SHARP]
    return float(np.median(ratios)) if ratios else float("nan")


def band_powers(image: Image8, inside: Mask) -> Floats:
    """Power (grey levels squared) of each band of WAVELENGTHS inside a mask, from the radial
    spectrum of the grey picture; masks are feathered, and the mean is taken out first."""
    weight = cv2.GaussianBlur(inside.astype(np.float64), (0, 0), 2.0) * inside
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
    coarse = cv2.GaussianBlur(grey * weight, (0, 0), 16.0) / (
        cv2.GaussianBlur(weight, (0, 0), 16.0) + 1e-6
    )
    power = np.abs(np.fft.fft2((grey - coarse) * weight)) ** 2
    power /= power.size * max(float((weight**2).sum()), 1.0)
    ys, xs = (np.fft.fftfreq(n) for n in grey.shape)
    wavelength = 1 / np.maximum(np.hypot(ys[:, None], xs[None]), 1e-9)
    spans = pairwise(WAVELENGTHS)
    return np.array([power[(wavelength >= low) & (wavelength < high)].sum() for low, high in spans])


@dataclass(frozen=True, slots=True)
class Spectra:
    """distance: mean over scenes and bands of |log10 painted power - log10 true power|;
    ratios: each band's median of painted over true power, finest first."""

    distance: float
    ratios: tuple[float, ...]


def compare_spectra(painted: Sequence[Floats], true: Sequence[Floats]) -> Spectra:
    """Compare bands of paintings with those of their renders (see `band_powers`)."""
    mine, theirs = (np.stack(part) + _QUIET for part in (painted, true))
    apart = np.log10(mine) - np.log10(theirs)
    ratios = 10 ** np.median(apart, axis=0)
    return Spectra(float(np.abs(apart).mean()), tuple(float(ratio) for ratio in ratios))


def high_pass(image: Image8, inside: Mask) -> Floats:
    """(h, w) the grey picture's texture: less its local mean inside the mask, 0 outside."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
    weight = inside.astype(np.float64)
    local = cv2.GaussianBlur(grey * weight, (0, 0), _LOW_PASS)
    local = local / (cv2.GaussianBlur(weight, (0, 0), _LOW_PASS) + 1e-6)
    return np.asarray((grey - local) * weight)


def agreement(one: Image8, other: Image8, inside: Mask) -> float:
    """Correlation of two pictures' textures inside a mask; 0 where one of them is flat."""
    a, b = (high_pass(image, inside)[inside] for image in (one, other))
    spread = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / spread) if spread > 1e-6 else 0.0


def kernel_distance(one: Floats, other: Floats) -> float:
    """Squared maximum mean discrepancy of features (n, d) under the cubic kernel, unbiased, as in
    KID (Bińkowski et al. 2018)."""
    within = [_off_diagonal(_kernel(part, part)) for part in (one, other)]
    return float(sum(within) - 2 * _kernel(one, other).mean())


def kernel_interval(one: Floats, other: Floats, seed: int = 0) -> tuple[float, float, float]:
    """Kernel distance as (mean, low, high): mean and the 5th and 95th percentile over random
    subsets, as KID is stated."""
    rng = np.random.default_rng(seed)
    size = min(_SUBSET, len(one), len(other))
    found = [
        kernel_distance(
            one[rng.choice(len(one), size, replace=False)],
            other[rng.choice(len(other), size, replace=False)],
        )
        for _ in range(_SUBSETS)
    ]
    low, high = np.percentile(found, (5, 95))
    return float(np.mean(found)), float(low), float(high)


def share_interval(share: float, count: int) -> tuple[float, float]:
    """Between what a share that was found in `count` tries lies nine times of ten (Wilson 1927);
    (nan, nan) of none."""
    if count == 0:
        return float("nan"), float("nan")
    square = _NINE_OF_TEN**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    reach = _NINE_OF_TEN * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    reach /= 1 + square / count
    return middle - reach, middle + reach


def _kernel(one: Floats, other: Floats) -> Floats:
    out: Floats = (one @ other.T / one.shape[1] + 1) ** 3
    return out


def _off_diagonal(square: Floats) -> float:
    n = len(square)
    return float((square.sum() - np.trace(square)) / (n * (n - 1)))
