"""Control images from exact scene buffers, in the convention that a ControlNet was trained on.

Training of the starter model and inference share this file, so that both see the same images.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from underpaint.normals import encode_normal
from underpaint.pictures.segments import segments
from underpaint_daemon.common.conventions import Convention

from .depth import depth_control

__all__ = ["depth_control", "encode_normal", "normals_as", "segments"]

Image8 = npt.NDArray[np.uint8]


def normals_as(encoded: Image8, convention: Convention) -> Image8:
    """Normals of ours (OpenGL axes, (h, w, 3) uint8) as another convention writes them."""
    red, green, blue = encoded[..., 0], encoded[..., 1], encoded[..., 2]
    if convention is Convention.BAE:
        return np.stack((_turned(red), green, blue), -1)
    if convention is Convention.MIDAS:
        return np.stack((blue, green, _turned(red)), -1)
    if convention is Convention.DIRECTX:
        return np.stack((red, _turned(green), blue), -1)
    return encoded


def _turned(channel: Image8) -> Image8:
    """The opposite direction; 128 is the encoding's zero and stays."""
    flipped = 255 - channel
    flipped[channel == 128] = 128
    return flipped
