"""Points a view sees too close to an outline to trust the pixel: they take clean pixels beside.

Of the pixels that bilinear sampling mixes, those that touch an outline take no part. Where that
leaves none (on a strip a few pixels wide every pixel may touch an outline), the nearest clean
place does: one where all pixels mixed are clean by the rule, that lies on the same surface, and is
at most 2.5 pixels' footprints away on it. That is still closer than any paint a fill could find.
Where the surface is slanted a pixel beside is farther off, and the fill does better.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..cameras.visibility import Sight, ViewGeometry, sample
from ..surface.points import SurfacePoints
from .tiers import Rule

Array = npt.NDArray[Any]
REACH_PX = 2.5
ONE_SIDED = 1.0
"""Pixel footprints on the surface that bilinear sampling reaches: within them a clean place counts
as the point itself seen from one side."""
_OFF_PLANE = 0.5  # pixel footprints between the pixel's place and the point's tangent plane
_SLANTED = 0.1  # seen more slantingly than this, pixels beside are far off on the surface


def clean_places_beside(
    sight: Sight, points: SurfacePoints, view: ViewGeometry, bare: Tensor, rule: Rule
) -> Sight:
    """Of the rows of a sight that no tier takes (`bare`, (M,) bool), those with a clean place
    beside them: `pixel` is that place, `error` how far off it is on the surface in footprints,
    `edge` the least of the last tier."""
    limit = rule.tiers[-1].edge
    tried = bare & (sight.cosine > _SLANTED) & (sight.edge < limit + REACH_PX)
    found = sight.select(tried.nonzero()[:, 0])
    if not len(found.index):
        return found
    pixel = _clean_places(view, found.pixel, rule.clean)
    near = (pixel - found.pixel).norm(dim=1) <= REACH_PX  # not so where none is clean
    place = sample(view.image[:, :3], pixel, view.size).T
    point = points.position[found.index] - torch.from_numpy(view.camera.position).to(place)
    apart = place - point
    error = apart.norm(dim=1) / found.footprint
    off = (apart * points.normal[found.index]).sum(1).abs()
    rows = (near & (error <= REACH_PX) & (off < _OFF_PLANE * found.footprint)).nonzero()[:, 0]
    kept = found.select(rows)
    edge = torch.full_like(kept.edge, limit)
    return Sight(kept.index, pixel[rows], kept.cosine, error[rows], edge, kept.footprint)


def _clean_places(view: ViewGeometry, pixel: Tensor, clean: float) -> Tensor:
    """(M, 2) places near pixels (M, 2) where bilinear sampling mixes clean pixels only: from the
    nearest clean pixel's centre as far toward them as clean pixels go; infinitely far without
    any."""
    height, width = view.size
    column = pixel[:, 0].long().clamp(0, width - 1)
    row = pixel[:, 1].long().clamp(0, height - 1)
    nearest = _nearest_clean(view, clean)
    at = nearest[row * width + column]
    x, y = at % width, at // width
    center = torch.stack((x, y), 1) + 0.5
    step = (pixel - center).clamp(-1, 1)
    beside_x = (x + step[:, 0].sign().long()).clamp(0, width - 1)
    beside_y = (y + step[:, 1].sign().long()).clamp(0, height - 1)
    along, down, both = (
        nearest[place] == place
        for place in (y * width + beside_x, beside_y * width + x, beside_y * width + beside_x)
    )
    # Sliding both ways mixes four pixels; where one of them is not clean, the longer way it is.
    across = along & down & both
    wider = step[:, 0].abs() > step[:, 1].abs()
    slide = torch.stack((
        across | (along & (wider | ~down)),
        across | (down & (~wider | ~along)),
    ), 1)  # fmt: skip
    place = center + torch.where(slide, step, 0.0)
    return torch.where((at >= 0)[:, None], place, torch.inf)


def _nearest_clean(view: ViewGeometry, limit: float) -> Tensor:
    """(h * w,) int64: the flat number of the nearest pixel farther than `limit` from every
    outline (its own if it is); -1 without any. Made once for each limit."""
    if limit not in view.clean:
        distance = view.image[0, 3].cpu().numpy()
        clean = distance > limit
        view.clean[limit] = torch.from_numpy(_nearest(clean)).to(view.image.device)
    return view.clean[limit]


def _nearest(wanted: Array) -> Array:
    if not wanted.any():
        return np.full(wanted.size, -1, np.int64)
    bare = (~wanted).astype(np.uint8)
    _, label = cv2.distanceTransformWithLabels(bare, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    source = np.zeros(int(label.max()) + 1, np.int64)
    source[label[wanted]] = np.flatnonzero(wanted)
    nearest: Array = source[label].reshape(-1)
    return nearest
