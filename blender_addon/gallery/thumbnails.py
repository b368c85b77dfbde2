"""Thumbnails as icons by their jobs."""

from __future__ import annotations

import numpy as np

from ..icons import Icons
from .looking import Looking, Small

ICONS = Icons()
_A_TICK = 2


def update(looking: Looking) -> None:
    """Make icons of some thumbnails that have come."""
    for job in looking.fresh[:_A_TICK]:
        if job in looking.small and job not in ICONS:
            _make(job, looking.small[job])
    del looking.fresh[:_A_TICK]


def _make(job: str, image: Small) -> None:
    height, width = image.shape[:2]
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3] = image[::-1]
    preview = ICONS.new(job)
    preview.image_size = (width, height)
    preview.image_pixels.foreach_set(pixels.view(np.int32).ravel())
