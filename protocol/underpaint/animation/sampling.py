"""Pictures between their pixels, and what is filled in where a picture is not known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .motion import Mask, grown
from .tracks import Float32, Float64, Int32

Image8 = npt.NDArray[np.uint8]
_LEAST = 1e-6
_RIM = 2


def linear_at(picture: npt.NDArray[np.generic], at: Float64) -> Float32:
    """A picture (h, w, c) at places (n, 2) in px, pixel centres at +0.5; edges go on."""
    corner, part = _split(at)
    fx, fy = part[:, :1], part[:, 1:]
    rows = [
        _pixels(picture, corner, 0, y) * (1 - fx) + _pixels(picture, corner, 1, y) * fx
        for y in (0, 1)
    ]
    out: Float32 = (rows[0] * (1 - fy) + rows[1] * fy).astype(np.float32)
    return out


def sharp_at(picture: npt.NDArray[np.generic], at: Float64) -> Float32:
    """`linear_at` by Catmull and Rom's cubic: what is resampled once stays sharp. It may leave the
    picture's range a little."""
    corner, part = _split(at)
    across, down = _cubic(part[:, 0]), _cubic(part[:, 1])
    out = np.zeros((len(at), picture.shape[2]), np.float32)
    for y in range(4):
        row = sum(_pixels(picture, corner, x - 1, y - 1) * across[x][:, None] for x in range(4))
        out += row * down[y][:, None]
    return out


def filled(picture: Image8, known: Mask) -> Image8:
    """The picture with what is not known flowing in from around it, coarse to fine."""
    if not known.any():
        return np.full_like(picture, 128)
    smooth = pulled(picture.astype(np.float32) * known[..., None], known.astype(np.float32))
    return np.where(known[..., None], picture, smooth.round().clip(0, 255)).astype(np.uint8)


def smoothed(picture: Image8, where: Mask) -> Image8:
    """The picture with its pixels at `where` averaged with their neighbours (1 2 1 both ways)."""
    wide = np.pad(picture.astype(np.float32), ((1, 1), (1, 1), (0, 0)), mode="edge")
    across = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
    soft = (across[:-2] + 2 * across[1:-1] + across[2:]) / 4
    return np.where(where[..., None], soft.round(), picture).astype(np.uint8)


def healed(picture: Image8, known: Mask, item: Int32) -> Image8:
    """The picture with the rims of what is not known taken from the pixels beside them that show
    the same item, two pixels deep; the rest flows in from all around."""
    colors, have = picture.astype(np.float32), known
    for _ in range(_RIM):
        total, count = np.zeros_like(colors), np.zeros(item.shape, np.float32)
        for other, beside, there in _beside(colors, item, have):
            same = there & (beside == item)
            total += other * same[..., None]
            count += same
        new = ~have & (count > 0)
        colors[new] = total[new] / count[new][..., None]
        have = have | new
    return filled(colors.round().clip(0, 255).astype(np.uint8), have)


def _beside(colors: Float32, item: Int32, have: Mask) -> Iterator[tuple[Float32, Int32, Mask]]:
    """Colours, items and whether they are known, of each of the eight neighbours."""
    height, width = item.shape
    colors = np.pad(colors, ((1, 1), (1, 1), (0, 0)))
    item, have = np.pad(item, 1), np.pad(have, 1)
    for y in range(3):
        for x in range(3):
            part = (slice(y, y + height), slice(x, x + width))
            yield colors[part], item[part], have[part]


def crumbs(mask: Mask) -> Mask:
    """Those parts of a mask into which no square of 3×3 px fits: too small to be painted."""
    return mask & ~grown(_shrunk(mask), 1)


def _shrunk(mask: Mask) -> Mask:
    out: Mask = ~grown(~mask, 1) & mask
    return out


def _split(at: Float64) -> tuple[npt.NDArray[np.int64], Float32]:
    low = np.floor(at - 0.5)
    return low.astype(np.int64), (at - 0.5 - low).astype(np.float32)


def _pixels(
    picture: npt.NDArray[np.generic], corner: npt.NDArray[np.int64], x: int, y: int
) -> Float32:
    height, width = picture.shape[:2]
    column = (corner[:, 0] + x).clip(0, width - 1)
    row = (corner[:, 1] + y).clip(0, height - 1)
    colors = picture.reshape(height * width, -1)[row * width + column]
    out: Float32 = colors.astype(np.float32)
    return out


def _cubic(t: Float32) -> tuple[Float32, Float32, Float32, Float32]:
    return (
        ((-0.5 * t + 1) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )


def pulled(total: Float32, weight: Float32) -> Float32:
    """Sums of colours (h, w, c) by weight (h, w) to colours everywhere: what weighs nothing takes
    those of the next coarser level."""
    height, width = weight.shape
    own = total / np.maximum(weight, _LEAST)[..., None]
    if min(height, width) < 2 or weight.min() > 0:
        mean = total.sum((0, 1)) / max(float(weight.sum()), _LEAST)
        return np.where(weight[..., None] > 0, own, mean).astype(np.float32)
    coarse = pulled(_halved(total), _halved(weight[..., None])[..., 0])
    rows = (np.arange(height) + 0.5) / 2
    columns = (np.arange(width) + 0.5) / 2
    places = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    around = linear_at(coarse, places).reshape(height, width, -1)
    return np.where(weight[..., None] > 0, own, around).astype(np.float32)


def _halved(values: Float32) -> Float32:
    """Sums of 2×2 pixels, an odd edge counted alone."""
    height, width = values.shape[:2]
    padded = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    pairs = padded.reshape((height + 1) // 2, 2, (width + 1) // 2, 2, -1)
    out: Float32 = pairs.sum((1, 3))
    return out
