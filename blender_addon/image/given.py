"""The pictures that a request brings along, put beside the arrays of its view. No bpy."""

from __future__ import annotations

from dataclasses import replace

from underpaint.buffers import Buffers, Kind
from underpaint.requests import RegionPrompt

from .pictures import mask_at
from .request import ImageSettings


def with_pictures(
    settings: ImageSettings, pictures: Buffers, buffers: Buffers, size: tuple[int, int] | None
) -> ImageSettings:
    """The settings, with their pictures in `buffers`.

    `pictures`: where they are. `size`: width and height of the picture that is asked for, to which
    masks are brought; None where only the daemon will say it, which then holds them against that.
    """
    fitted = replace(settings, regions=tuple(_fitted(r, pictures, size) for r in settings.regions))
    for ref in fitted.pictures:
        buffers.add(ref.kind, pictures[ref.sha256])
    return fitted


def _fitted(region: RegionPrompt, pictures: Buffers, size: tuple[int, int] | None) -> RegionPrompt:
    if region.mask is None or size is None or region.mask.shape[:2] == (size[1], size[0]):
        return region
    mask = mask_at(pictures[region.mask.sha256], *size)
    return replace(region, mask=pictures.add(Kind.MASK, mask))
