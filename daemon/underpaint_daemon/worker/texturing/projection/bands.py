"""A picture's broad colours, apart from its detail, so that views can blend each in its own way.

Generated views agree in neither. Blended over a wide zone, detail of two views blurs; over a narrow
one, a step between their broad colours shows. So broad colours blend widely and detail narrowly.
Method: after Burt and Adelson 1983 (a multiresolution spline), with two bands.

Broad colour is a mean over pixels well inside the outlines, within twice the distance that they
keep from outlines: across an outline no such two pixels are that close, so that no surface's colour
gets into another's.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

_SIGMAS = 2.5  # the kernel's radius in standard deviations


def broad_colors(image: Tensor, inside: Tensor, reach: float) -> Tensor:
    """(1, C, h, w) float32: Gaussian means, over the pixels `inside` (h, w) bool alone, of an image
    (1, C, h, w) within `reach` pixels; the image itself where none is near."""
    radius = max(1, int(reach))
    side = 2 * radius + 1
    known = inside[..., None].float().cpu()
    colors = image[0].permute(1, 2, 0).cpu()
    both = torch.cat((torch.where(known > 0, colors, 0.0), known), -1).numpy()
    blurred = np.empty_like(both)
    for first in range(0, both.shape[2], 4):  # OpenCV takes four channels at once
        part = np.ascontiguousarray(both[..., first : first + 4])
        part = cv2.GaussianBlur(
            part, (side, side), radius / _SIGMAS, borderType=cv2.BORDER_CONSTANT
        )
        blurred[..., first : first + 4] = part.reshape(*both.shape[:2], -1)
    mean = torch.from_numpy(blurred)
    share = mean[..., -1:]
    result = torch.where(share > 1e-6, mean[..., :-1] / share.clamp(min=1e-6), colors)
    return result.permute(2, 0, 1)[None].contiguous().to(image.device)
