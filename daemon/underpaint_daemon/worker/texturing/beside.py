"""Points a view sees too close to an outline to trust the pixel: they take the clean one beside.

On a strip a few pixels wide every pixel may touch an outline. The nearest pixel that keeps the
rule's distance from outlines, lies on the same surface and is at most 2.5 pixels' footprints away
on it is still closer than any paint a fill could find. Where the surface is slanted a pixel beside
is farther off than that, and the fill does better.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .tiers import Rule
from .visibility import Sight, SurfacePoints, ViewGeometry

Array = npt.NDArray[Any]
REACH_PX = 2.5
_OFF_PLANE = 0.5  # pixel footprints between the pixel's place and the point's tangent plane
_SLANTED = 0.1  # seen more slantingly than this, pixels beside are far off on the surface


def beside(
    sight: Sight, points: SurfacePoints, view: ViewGeometry, bare: Tensor, rule: Rule
) -> Sight:
    """Of the rows of a sight that no tier takes (`bare`, (M,) bool), those with a clean pixel
    beside them: `pixel` is its centre, `edge` the least of the last tier."""
    limit = rule.tiers[-1].edge
    tried = bare & (sight.cosine > _SLANTED) & (sight.edge < limit + REACH_PX)
    found = sight.select(tried.nonzero()[:, 0])
    if not len(found.index):
        return found
    height, width = view.size
    column = found.pixel[:, 0].long().clamp(0, width - 1)
    row = found.pixel[:, 1].long().clamp(0, height - 1)
    clean = _nearest_clean(view, limit)[row * width + column]
    center = torch.stack((clean % width, clean // width), 1) + 0.5
    near = (clean >= 0) & ((center - found.pixel).norm(dim=1) <= REACH_PX)
    place = view.image[0, :3].reshape(3, -1)[:, clean.clamp(min=0)].T
    point = points.position[found.index] - torch.from_numpy(view.camera.position).to(place)
    apart = place - point
    off = (apart * points.normal[found.index]).sum(1).abs()
    near &= apart.norm(dim=1) <= REACH_PX * found.footprint
    rows = (near & (off < _OFF_PLANE * found.footprint)).nonzero()[:, 0]
    kept = found.select(rows)
    edge = torch.full_like(kept.edge, limit)
    return Sight(kept.index, center[rows], kept.cosine, kept.error, edge, kept.footprint)


def _nearest_clean(view: ViewGeometry, limit: float) -> Tensor:
    """(h * w,) int64: the flat number of the nearest pixel farther than `limit` from every
    outline; -1 without any. Made once for each limit."""
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
