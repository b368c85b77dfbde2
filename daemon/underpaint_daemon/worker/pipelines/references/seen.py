"""References as a UNet is to see them: encoded at their own proportions."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from underpaint.requests import Reference
from underpaint_daemon.common.single_files import INPAINT_CHANNELS

from ..canvas import flatten, resize
from ..latents import encode_images, from_image8, grid_cell
from ..loading.components import LoadedModel
from .attention import Seen

Image8 = npt.NDArray[np.uint8]
Attended = tuple[Reference, Image8]
"""A reference for the UNet's attention, and its picture (h, w, 3 or 4) uint8."""
_MOST_KEPT = 8


def seen_by(
    model: LoadedModel, attended: Sequence[Attended], size: tuple[int, int]
) -> tuple[Seen, ...]:
    """References for a picture of a size (height, width in pixels), none of those that weigh
    nothing."""
    return tuple(
        _seen(model, one, _encoded(model, picture, size))
        for one, picture in attended
        if one.scale > 0
    )


def _seen(model: LoadedModel, one: Reference, latent: Tensor) -> Seen:
    more = int(model.unet.config.in_channels) - latent.shape[1]
    beside = None if more <= 0 else latent.new_zeros((1, more, *latent.shape[2:]))
    if beside is not None and latent.shape[1] + more == INPAINT_CHANNELS:
        beside[:, 1:] = latent  # nothing is to be repainted, all of it is known
    return Seen(latent, beside, one.scale, one.fidelity, one.start, one.end)


def _encoded(model: LoadedModel, picture: Image8, size: tuple[int, int]) -> Tensor:
    """A picture's clean latents (1, c, h, w) float32 on the CPU, of about as many cells as one of
    `size` has; kept for the next job."""
    flat = flatten(picture)
    fitted = _fitted(flat, size, grid_cell(model.vae, model.unet))
    digest = hashlib.sha256(np.ascontiguousarray(flat).data).hexdigest()
    key = (digest, flat.shape[:2], fitted)
    if key not in model.seen:
        pixels = from_image8(resize(flat, fitted))
        model.seen[key] = encode_images(model.vae, pixels).cpu()
    model.seen.move_to_end(key)
    while len(model.seen) > _MOST_KEPT:
        model.seen.popitem(last=False)
    return model.seen[key]


def _fitted(picture: Image8, size: tuple[int, int], cell: int) -> tuple[int, int]:
    """Height and width in whole cells, of a picture's proportions and another's area."""
    scale = math.sqrt(size[0] * size[1] / (picture.shape[0] * picture.shape[1]))
    height, width = (max(cell, round(side * scale / cell) * cell) for side in picture.shape[:2])
    return height, width
