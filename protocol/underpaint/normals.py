"""Normals as 8-bit colour: the one convention of captures, control images and training data."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Image8 = npt.NDArray[np.uint8]


def encode_normal(normal: npt.NDArray[Any]) -> Image8:
    """Camera-space unit normals (h, w, 3) to uint8 RGB; zero vectors (background) to 128,128,255.

    OpenGL axes: +X right = red, +Y up = green, +Z to the viewer = blue.
    """
    encoded = np.round((normal.astype(np.float32) * 0.5 + 0.5) * 255)
    background = np.abs(normal).sum(axis=-1) < 1e-6
    encoded[background] = (128, 128, 255)
    return encoded.clip(0, 255).astype(np.uint8)


def decode_normal(image: Image8) -> npt.NDArray[np.float32]:
    """The unit vectors (h, w, 3) float32 of an encoded image, to within 0.3 degrees."""
    vectors = image.astype(np.float32) / np.float32(127.5) - 1
    unit: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
