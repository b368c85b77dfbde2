"""What a picture means as a mask: white is marked, whichever channel holds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from .refusal import refused

Image8 = npt.NDArray[np.uint8]
_TOLERANCE = 24  # what JPEG makes of a grey
_FAINT = 3  # classes 0, 1, 2 of a segmentation, not levels of grey
_HINT = "Draw it in white (or one colour) on black, or as the only thing on a transparent layer."


def mask_of(pixels: Image8, path: Path) -> Image8:
    """(h, w) uint8: 255 = marked. `pixels`: (h, w, 1–4); two or four channels have alpha.

    A mask is drawn in one colour on black (any: red, white), or as the only colour on a
    transparent layer, where alpha holds it. Raises RequestError(FILE) for anything else, since
    there is no telling what it marks.
    """
    colour, alpha = _parted(pixels)
    if alpha is None:
        return _brightness(colour, np.ones(colour.shape[:2], bool), path)
    seen = alpha > 0
    if not seen.any():
        raise refused(path, "is wholly transparent: it marks nothing", _HINT)
    visible = colour[seen].astype(np.int16)
    if not seen.all() and np.ptp(visible, axis=0).max() <= _TOLERANCE:
        return alpha
    bright = _brightness(colour, seen, path).astype(np.uint16)
    return ((bright * alpha + 127) // 255).astype(np.uint8)


def _parted(pixels: Image8) -> tuple[Image8, Image8 | None]:
    """Colours, and alpha unless everything is opaque."""
    if pixels.shape[2] % 2:
        return pixels, None
    alpha = pixels[..., -1]
    return pixels[..., :-1], None if bool((alpha == 255).all()) else alpha


def _brightness(colour: Image8, seen: npt.NDArray[np.bool_], path: Path) -> Image8:
    """How much of the one colour each pixel has; black has none."""
    strongest = np.where(seen, colour.max(axis=2), 0).astype(np.uint8)
    top = int(strongest.max())
    if 0 < top <= _FAINT:
        raise refused(path, f"is almost black: its brightest value is {top} of 255", _HINT)
    if top == 0 or colour.shape[2] == 1:
        return strongest
    row, column = np.unravel_index(int(strongest.argmax()), strongest.shape)
    hue = colour[row, column].astype(np.float32) / top
    expected = strongest[..., None] * hue
    if float(np.abs(colour - expected)[seen].max()) > _TOLERANCE:
        raise refused(path, "has several colours: where it marks cannot be told", _HINT)
    return strongest
