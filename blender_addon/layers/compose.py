"""The layers' mathematics in numpy: the same sums that the shader nodes do. No bpy.

Pixels are (h, w, 4) float32, straight alpha, colour as stored (sRGB), 0–1. Mixing is done in
linear light, as Blender's shaders do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..plain.srgb import Floats, linear, srgb

# What a colour socket gives when it is plugged into a number (Rec. 709 luminance).
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A layer as numbers: `pixels` (h, w, 4), `opacity` 0–1, `mask` (h, w) 0–1 or None."""

    pixels: Floats
    opacity: float = 1.0
    mask: Floats | None = None


def stacked(sheets: Sequence[Sheet], size: tuple[int, int], base: Floats | None = None) -> Floats:
    """The sheets, lowest first, as one sheet of `size` (height, width).

    `base`: what lies below, opaque; without it the result's alpha says where paint is, so that
    mixing it over anything gives what the sheets over that thing give.
    """
    height, width = size
    colour = np.zeros((height, width, 3), np.float32)  # premultiplied
    alpha = np.zeros((height, width, 1), np.float32)
    if base is not None:
        colour, alpha = linear(resampled(base, size)[..., :3]), np.ones_like(alpha)
    for sheet in sheets:
        part = factor(sheet, size)
        colour = colour * (1 - part) + linear(resampled(sheet.pixels, size)[..., :3]) * part
        alpha = alpha + part * (1 - alpha)
    straight = np.divide(colour, alpha, out=np.zeros_like(colour), where=alpha > 0)
    return np.concatenate([srgb(straight), alpha], axis=2)


def flat_values(
    values: Sequence[Floats | None], sheets: Sequence[Sheet], size: tuple[int, int], below: Floats
) -> Floats:
    """(h, w, c): numbers (roughness, normals …) that one sheet in the place of `sheets` must have,
    to give over `below` (c,) what the sheets' `values` (h, w, c; None: has none) give."""
    value = np.broadcast_to(below, (*size, len(below))).astype(np.float32)
    alpha = np.zeros((*size, 1), np.float32)
    for own, sheet in zip(values, sheets, strict=True):
        part = factor(sheet, size)
        alpha = alpha + part * (1 - alpha)
        if own is not None:
            value = value * (1 - part) + resampled(own, size) * part
    above = np.divide(value - below * (1 - alpha), alpha, out=value.copy(), where=alpha > 0)
    return np.asarray(above.clip(0, 1), np.float32)


def factor(sheet: Sheet, size: tuple[int, int]) -> Floats:
    """(h, w, 1): how much of a sheet is seen."""
    part = resampled(sheet.pixels, size)[..., 3:] * np.float32(sheet.opacity)
    if sheet.mask is not None:
        part = part * resampled(sheet.mask[..., None], size)
    return part


def grey(pixels: Floats) -> Floats:
    """(h, w): what a mask image gives as a number."""
    return np.asarray(pixels[..., :3] @ _LUMINANCE, np.float32)


def resampled(pixels: Floats, size: tuple[int, int]) -> Floats:
    """Pixels (h, w, c) at another size: the mean of what a pixel covers when it is a whole number
    of times smaller, else linear between the nearest."""
    height, width = pixels.shape[:2]
    if (height, width) == size:
        return pixels
    down, across = height // size[0], width // size[1]
    if (down * size[0], across * size[1]) == (height, width):
        blocks = pixels.reshape(size[0], down, size[1], across, -1)
        return np.asarray(blocks.mean(axis=(1, 3)), np.float32)
    return _between(_between(pixels, size[0], 0), size[1], 1)


def _between(pixels: Floats, count: int, axis: int) -> Floats:
    length = pixels.shape[axis]
    at = np.clip((np.arange(count) + 0.5) * length / count - 0.5, 0, length - 1)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, length - 1)
    shape = [1] * pixels.ndim
    shape[axis] = count
    part = (at - low).astype(np.float32).reshape(shape)
    return np.asarray(
        np.take(pixels, low, axis) * (1 - part) + np.take(pixels, high, axis) * part, np.float32
    )


def to_bytes(pixels: Floats) -> npt.NDArray[np.uint8]:
    """0–1 floats as bytes."""
    return (pixels.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def to_rgba(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """(h, w, 4) bytes: white where a mask holds, else black; opaque."""
    out = np.full((*mask.shape, 4), 255, np.uint8)
    out[..., :3] = np.where(mask, 255, 0)[..., None]
    return out
