"""Thumbnails as icons, in a collection of previews that ends with the add-on."""

from __future__ import annotations

from typing import Any

import bpy.utils.previews
import numpy as np

from .looking import Looking, Small

_A_TICK = 2
_ICONS: list[Any] = []


def register() -> None:
    _ICONS.append(bpy.utils.previews.new())


def unregister() -> None:
    while _ICONS:
        bpy.utils.previews.remove(_ICONS.pop())


def update(looking: Looking) -> None:
    """Make icons of some thumbnails that have come."""
    for job in looking.fresh[:_A_TICK]:
        if job in looking.small and job not in _ICONS[0]:
            _make(job, looking.small[job])
    del looking.fresh[:_A_TICK]


def icon(job: str) -> int:
    """A painting's icon, or 0 while there is none."""
    icons = _ICONS[0]
    return int(icons[job].icon_id) if job in icons else 0


def _make(job: str, image: Small) -> None:
    height, width = image.shape[:2]
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3] = image[::-1]
    preview = _ICONS[0].new(job)
    preview.image_size = (width, height)
    preview.image_pixels.foreach_set(pixels.view(np.int32).ravel())
