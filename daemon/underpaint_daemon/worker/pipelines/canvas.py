"""Where on an image work is done: a box of it, at a working size, padded to what a VAE takes.

Everything that conditions a picture (its colours, mask, depth, normals, whatever their own
resolution) goes through the same Canvas, so that all of it stays aligned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .controls.conditioning import encode_normal

Image8 = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]
Size = tuple[int, int]
"""Height, width."""
_MULTIPLE = 8
_SMALLEST = 64
_GREY = 128.0


@dataclass(frozen=True, slots=True)
class Canvas:
    """`box` (top, left, bottom, right) of an image of size `full`, scaled to `work`, then padded
    at the bottom and right by reflection to `padded`. Sizes are (height, width)."""

    full: Size
    box: tuple[int, int, int, int]
    work: Size
    padded: Size

    @property
    def box_size(self) -> Size:
        top, left, bottom, right = self.box
        return bottom - top, right - left

    def colour(self, image: Image8) -> Image8:
        """(h, w, 3 or 4) uint8 of any size to the padded (h, w, 3); alpha is laid on grey."""
        top, left, bottom, right = self.box
        part = resize(flatten(image), self.full)[top:bottom, left:right]
        return self._pad(resize(part, self.work))

    def nearest(self, array: Array) -> Array:
        """Any (h, w, …) array sampled at pixel centres without blending; depth stays in metres."""
        top, left, bottom, right = self.box
        rows = _centres(top, bottom, self.work[0], self.full[0], array.shape[0])
        columns = _centres(left, right, self.work[1], self.full[1], array.shape[1])
        return self._pad(array[rows[:, None], columns[None, :]])

    def normal(self, encoded: Image8) -> Image8:
        """Encoded unit normals (h, w, 3) of any size; blended ones are made unit length again."""
        if encoded.shape[:2] == self.full and self.work == self.box_size:
            return self.nearest(encoded)
        top, left, bottom, right = self.box
        vectors = encoded.astype(np.float32) / 127.5 - 1.0
        part = resize(vectors, self.full)[top:bottom, left:right]
        blended = resize(part, self.work)
        length = np.linalg.norm(blended, axis=-1, keepdims=True)
        return self._pad(encode_normal(blended / np.maximum(length, 1e-6)))

    def mask(self, mask: Image8, cell: int) -> npt.NDArray[np.float32]:
        """The padded region to repaint, 0 or 1, grown to whole latent cells of `cell` pixels."""
        top, left, bottom, right = self.box
        marked = (mask[top:bottom, left:right] > 0).astype(np.uint8)
        scaled = cv2.resize(marked * 255, self.work[::-1], interpolation=cv2.INTER_LINEAR)
        padded = np.pad(scaled, self._margins())
        height, width = self.padded
        cells = padded.reshape(height // cell, cell, width // cell, cell).max((1, 3)) > 0
        return np.repeat(np.repeat(cells, cell, 0), cell, 1).astype(np.float32)

    def back(self, image: Image8) -> Image8:
        """A padded (h, w, 3) picture back to the box's own size."""
        return resize(image[: self.work[0], : self.work[1]], self.box_size)

    def _margins(self) -> tuple[tuple[int, int], tuple[int, int]]:
        return ((0, self.padded[0] - self.work[0]), (0, self.padded[1] - self.work[1]))

    def _pad(self, array: Array) -> Array:
        if self.padded == self.work:
            return array
        rest = [(0, 0)] * (array.ndim - 2)
        return np.pad(array, [*self._margins(), *rest], mode="reflect")


def whole(size: Size, cell: int = _MULTIPLE) -> Canvas:
    """The whole image at its own resolution, padded to multiples of `cell` and at least 64."""
    return Canvas(size, (0, 0, *size), size, _padded(size, cell))


def part(full: Size, box: tuple[int, int, int, int], cell: int = _MULTIPLE) -> Canvas:
    """A box of an image at its own resolution."""
    size = (box[2] - box[0], box[3] - box[1])
    return Canvas(full, box, size, _padded(size, cell))


def around(mask: Image8, padding: int, native: int, cell: int = _MULTIPLE) -> Canvas:
    """The mask's bounding box and `padding` pixels around it, enlarged to the model's `native`
    side when it is smaller; never shrunk."""
    size = (mask.shape[0], mask.shape[1])
    marked = mask > 0
    if not marked.any():
        return whole(size, cell)
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    top, left = max(0, int(rows[0]) - padding), max(0, int(columns[0]) - padding)
    bottom = min(size[0], int(rows[-1]) + 1 + padding)
    right = min(size[1], int(columns[-1]) + 1 + padding)
    scale = max(1.0, native / max(bottom - top, right - left))
    work = (max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale)))
    return Canvas(size, (top, left, bottom, right), work, _padded(work, cell))


def flatten(image: Image8) -> Image8:
    """(h, w, 3 or 4) uint8, straight alpha, as (h, w, 3) over mid grey."""
    if image.shape[2] == 3:
        return image
    alpha = image[..., 3:].astype(np.float32) / 255
    over = image[..., :3] * alpha + _GREY * (1 - alpha)
    return over.round().astype(np.uint8)


def resize(image: Array, size: Size) -> Array:
    """(h, w, c) to another size: area averaging to shrink, bicubic to enlarge."""
    if image.shape[:2] == size:
        return image
    shrink = size[0] * size[1] < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
    resized: Array = cv2.resize(np.ascontiguousarray(image), size[::-1], interpolation=how)
    return resized


def fade(mask: Image8, feather: int) -> npt.NDArray[np.float32]:
    """How much new paint each pixel takes, 0–1: the mask, ramped up over `feather` pixels inside
    it. Exactly 0 where the mask is 0."""
    weight: npt.NDArray[np.float32] = mask.astype(np.float32) / np.float32(255)
    if feather == 0 or bool((mask > 0).all()):
        return weight
    inside = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, 5)
    ramp = np.minimum(inside / (feather + 1), 1.0)
    faded: npt.NDArray[np.float32] = (weight * ramp).astype(np.float32)
    return faded


def compose(original: Image8, painted: Image8, weight: npt.NDArray[np.float32]) -> Image8:
    """New paint (h, w, 3) over `original` (h, w, 3 or 4) by weight (h, w); bit-exact where 0."""
    amount = weight[..., None]
    blend = flatten(original) * (1 - amount) + painted * amount
    result = original.copy()
    changed = weight > 0
    result[changed, :3] = blend.round().clip(0, 255).astype(np.uint8)[changed]
    if original.shape[2] == 4:
        alpha = original[..., 3] + (255.0 - original[..., 3]) * weight
        result[changed, 3] = alpha.round().astype(np.uint8)[changed]
    return result


def _padded(size: Size, cell: int) -> Size:
    height, width = (max(_SMALLEST, -(-side // cell) * cell) for side in size)
    return height, width


def _centres(low: int, high: int, count: int, full: int, available: int) -> npt.NDArray[np.int64]:
    """Indices into an axis of `available` samples that spans `full` pixels."""
    at = low + (np.arange(count) + 0.5) * ((high - low) / count)
    index: npt.NDArray[np.int64] = np.floor(at * (available / full)).astype(np.int64)
    return index.clip(0, available - 1)
