"""Paint beyond the islands' rims, so that filtering and mip levels never read bare texels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .tiers import GUTTER, UNSEEN

Array = npt.NDArray[Any]


def dilate(image: Array, painted: Array, reach: int | None = None) -> tuple[Array, Array]:
    """Give bare texels the colour of the nearest painted one.

    image (h, w, C); painted (h, w) bool; reach: texels, None for the whole image.
    Returns the image and which texels (h, w) bool were given a colour.
    """
    if painted.all() or not painted.any():
        return image, np.zeros_like(painted)
    bare = (~painted).astype(np.uint8)
    distance, label = cv2.distanceTransformWithLabels(
        bare, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros(int(label.max()) + 1, np.int64)
    source[label[painted]] = np.flatnonzero(painted)
    given = ~painted if reach is None else ~painted & (distance <= reach)
    result = image.copy()
    result[given] = image.reshape(-1, image.shape[2])[source[label[given]]]
    return result, given


def renewed(image: Array, tier: Array) -> Array:
    """An image (h, w, C) whose gutter repeats the islands as they are now; tier (h, w): a
    provenance map."""
    again, _ = dilate(image, (tier != UNSEEN) & (tier != GUTTER))
    return np.where((tier == GUTTER)[..., None], again, image)
