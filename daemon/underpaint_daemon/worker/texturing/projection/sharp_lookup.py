"""Colours of a view for the texels of a texture, without the softness of two bilinear lookups.

A texel looks the view up between its pixels, and a render looks the texture up between its texels.
Both mix neighbours, and grain a pixel or two wide loses a third of its energy. A bilinear lookup
at a fraction f between two samples adds f (1 - f) / 2 of the second difference along each axis:
taken off for the view's lookup, that is the cubic of Catmull and Rom (and Keys 1981) but for its
cross term. The texture's lookup comes later, at every fraction alike: it will add a twelfth of the
second difference between texels, the mean of f (1 - f) / 2, and so much is taken off beforehand.

No colour leaves the range of what lies within a pixel, so that nothing rings; where that reaches
over an outline, it moves away from what lies beyond, but no farther than other neighbours are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..cameras.visibility import sample

_MEAN_LOSS = 1 / 12
_COARSEST = 1.0  # coarser texels cannot hold such grain


def sharp_colors(
    image: Tensor, pixel: Tensor, size: tuple[int, int], texel: Tensor, soft: Tensor
) -> Tensor:
    """(N, C) colours of an image (1, C, h, w) at pixels (N, 2) of a grid of `size`, for texels
    that cover texel (N,) pixels of the image each. soft (N, C): the same looked up bilinearly."""
    step = pixel.new_tensor([size[1] / image.shape[3], size[0] / image.shape[2]])
    fraction = (pixel / step - 0.5).remainder(1)
    width = texel.clamp(max=_COARSEST)[:, None]
    loss = fraction * (1 - fraction) / 2 + _MEAN_LOSS * width * width
    sharp, low, high = soft, soft, soft
    for axis in (0, 1):
        move = torch.zeros_like(step)
        move[axis] = step[axis]
        before, after = (sample(image, pixel + way, size).T for way in (-move, move))
        sharp = sharp - loss[:, axis, None] * (before + after - 2 * soft)
        low = torch.minimum(low, torch.minimum(before, after))
        high = torch.maximum(high, torch.maximum(before, after))
    return torch.minimum(torch.maximum(sharp, low), high)
