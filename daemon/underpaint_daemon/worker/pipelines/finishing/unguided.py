"""Smoothing of what no guide led: the ground and the sky behind patterned things.

A model that learnt its surfaces from a guide was compared by low frequencies alone where nothing
told it the texture. Its colours and shading are right there; what it draws in detail is noise. So
only what is broad is kept, by a guided filter (He, Sun, Tang, "Guided Image Filtering", 2010; on
few pixels as in "Fast Guided Filter", 2015) that looks at the unguided pixels alone: things lose
nothing to it, and their colours do not run into the ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

_NEUTRAL = 128  # of a guide: no surface, or one without a pattern
_SIDE = 64  # pixels of the shorter side on which averages are taken
_SPREAD = 6.0  # of these pixels, standard deviation of the averages
_EDGE = 0.15  # deviation of lightness from which on an edge is kept rather than smoothed
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Kept:
    """The picture (1, 3, h, w), 0–1, that a painting began from, and the share of it, 0 to 1, that
    is to be left: its details stay, and what the model changed of it is smoothed."""

    start: Tensor
    share: float


def smoothed_unguided(
    pictures: Tensor,
    guide: npt.NDArray[Any],
    depth: npt.NDArray[Any] | None = None,
    kept: Kept | None = None,
) -> Tensor:
    """Pictures (n, 3, h, w), 0–1, smoothed where the guide is neutral.

    `guide`: (h, w, 3), 0–255. `depth`: (h, w, 3), 0–255, 0 = nothing there: sky and ground are
    smoothed each by itself.
    """
    still = np.asarray(guide)
    led = torch.from_numpy((still != _NEUTRAL).any(-1))[None, None].float()
    free = F.max_pool2d(led, 3, 1, 1) == 0  # a rim of things is theirs
    if not bool(free.any()):
        return pictures
    base = torch.zeros_like(pictures) if kept is None else kept.start * kept.share
    change, out = pictures - base, pictures.clone()
    for region in _regions(free, depth):
        smooth = base + _smooth(change, region)
        out = torch.where(region, smooth.clamp(0, 1), out)
    return out


def _regions(free: Tensor, depth: npt.NDArray[Any] | None) -> list[Tensor]:
    """The parts of what is free that have no share in each other's colours, (1, 1, h, w) bool."""
    if depth is None:
        return [free]
    sky = torch.from_numpy((np.asarray(depth) == 0).all(-1))[None, None]
    return [part for part in (free & sky, free & ~sky) if bool(part.any())]


def _smooth(pictures: Tensor, region: Tensor) -> Tensor:
    """Pictures (n, 3, h, w) by the region's own averages: mean + gain * (picture - mean), where
    the gain is near 1 across edges and near 0 elsewhere."""
    size = pictures.shape[2:]
    scale = min(1.0, _SIDE / min(size))
    few = [max(1, round(side * scale)) for side in size]
    weight = region.to(pictures)
    light = (pictures * pictures.new_tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    told = torch.cat((pictures, light, light.square()), 1) * weight
    total = _average(F.interpolate(weight, few, mode="area")).clamp(min=1e-6)
    means = _average(F.interpolate(told, few, mode="area")) / total
    spread = (means[:, 4:] - means[:, 3:4].square()).clamp(min=0)
    both = torch.cat((means[:, :3], spread / (spread + _EDGE**2)), 1)
    full = F.interpolate(both, list(size), mode="bilinear", align_corners=False)
    mean, gain = full[:, :3], full[:, 3:]
    return mean + gain * (pictures - mean)


def _average(planes: Tensor) -> Tensor:
    """A Gaussian blur of (n, c, h, w) with nothing beyond the edges; divide by the weights'."""
    flat = planes.flatten(0, 1).numpy()
    soft = [cv2.GaussianBlur(p, (0, 0), _SPREAD, borderType=cv2.BORDER_CONSTANT) for p in flat]
    return torch.from_numpy(np.stack(soft)).view_as(planes)
