"""What pipelines give as pictures, in whatever form."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

_VIDEO = 5  # dimensions of pictures with a row of frames


def pictured(made: Any) -> Tensor:
    """The first picture (1, 3, h, w), 0–1, of tensors, arrays or PIL images, one or a list."""
    first = made
    while isinstance(first, (list, tuple)):
        first = first[0]
    if isinstance(first, Tensor):
        rows = first[:, :, 0] if first.ndim == _VIDEO else first
        return (rows if rows.ndim == _VIDEO - 1 else rows[None])[:1]
    levels = np.asarray(first.convert("RGB") if hasattr(first, "convert") else first)
    scale = 255.0 if levels.dtype == np.uint8 else 1.0
    flat = torch.from_numpy(levels.astype(np.float32) / scale)
    flat = flat[0] if flat.ndim == _VIDEO - 1 else flat
    return flat.permute(2, 0, 1)[None]
