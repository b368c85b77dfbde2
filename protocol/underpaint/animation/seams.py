"""New paint brought to the light of what it lies beside.

A spot that is painted anew comes out a little lighter or darker than its surroundings, and shows as
a patch. So it is painted with a border of what is there already: how much the two differ on the
border, surface by surface, is taken off inside, and over the border the one passes into the other.
"""

from __future__ import annotations

import numpy as np

from .motion import Mask, grown, outlines
from .sampling import Image8, pulled
from .tracks import Float32, Track

BORDER = 4  # px
_BETWEEN = 0.5  # how much of the new paint lies on the pixel beside it, of another surface too
_LEAST = 12  # px of border by which a surface's light is known
_MOST = 32.0  # levels: what differs by more is not light but another thing


def levelled(before: Image8, anew: Image8, spot: Mask, track: Track) -> tuple[Image8, Mask]:
    """`before` with its `spot` (h, w) as it is in `anew`, which was painted over
    `grown(spot, BORDER)`; and which pixels have any of that."""
    border = grown(spot, BORDER) & ~spot & ~grown(outlines(track), 1)
    light = (before.astype(np.float32) - anew).clip(-_MOST, _MOST)
    out = anew.astype(np.float32)
    share = np.where(spot, 1.0, np.where(grown(spot, 1), _BETWEEN, 0.0)).astype(np.float32)
    for item in np.unique(track.item[spot]):
        own = track.item == item
        weight = (border & own).astype(np.float32)
        if weight.sum() >= _LEAST:
            out = np.where(own[..., None], out + pulled(light * weight[..., None], weight), out)
        share = np.where(own, np.maximum(share, _fading(spot & own)), share)
    mixed = before * (1 - share[..., None]) + out * share[..., None]
    return mixed.round().clip(0, 255).astype(np.uint8), share > 0


def _fading(spot: Mask) -> Float32:
    """(h, w): 1 in the spot, and over its border towards 0."""
    steps = [grown(spot, by) for by in range(BORDER + 1)]
    out: Float32 = np.mean(steps, axis=0, dtype=np.float32)
    return out
