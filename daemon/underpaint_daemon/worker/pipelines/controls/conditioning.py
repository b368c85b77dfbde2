"""Control images from exact scene buffers: what ControlNets were trained on.

Training of the starter model and inference share this file, so that both see the same images.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.normals import encode_normal

__all__ = ["depth_control", "encode_normal"]

Image8 = npt.NDArray[np.uint8]


def depth_control(depth: npt.NDArray[Any]) -> Image8:
    """Relative inverse depth as (h, w, 3) uint8: 255 = nearest, 0 = farthest and background.

    `depth`: (h, w), metres along the view axis, +inf = background. Scaled per image between the
    nearest and the farthest finite depth (the convention of MiDaS and the depth ControlNets);
    surfaces keep at least 16/255 where there is background, so that they stay apart from it.
    """
    finite = np.isfinite(depth)
    out = np.zeros((*depth.shape, 3), np.uint8)
    if not finite.any():
        return out
    inverse = 1.0 / depth[finite].astype(np.float64)
    low, high = inverse.min(), inverse.max()
    scaled = np.ones_like(inverse) if high == low else (inverse - low) / (high - low)
    floor = 0.0 if finite.all() else 16 / 255
    out[finite] = np.round((floor + (1 - floor) * scaled) * 255).astype(np.uint8)[:, None]
    return out
