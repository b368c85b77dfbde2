"""Detail that a soft painting lost, drawn again from its guide.

As satellite pictures are sharpened by a finer channel (Aiazzi et al. 2002), the guide, which is
exact at every pixel, gives back what denoiser and decoder blurred: wherever the painting turns out
to be a pattern of the guide (see `pattern`), and only there. Whether it is one is judged on pixels
that the pattern was not read from.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.requests import TileAxes
from underpaint_daemon.worker.guide import NEUTRAL

from ..tiling import axes_of
from .pattern import LUMA, Floats, Image8, Mask, Pattern, blurred, mean_around, pattern_of

_LEAST = 250  # pixels of a surface of which a pattern can be read
_AROUND = 8  # px about a surface
_COARSE = 5.0  # px, standard deviation: what is coarser is form and light
_NEAR = 10.0  # px, standard deviation of the neighbourhood that is judged
_FOLLOWS = (0.15, 0.5)  # share of the detail that the pattern foretells: nothing, all is drawn
_AT_ALL = (0.08, 0.2)  # the same of a whole surface: chance foretells less
_STRONGEST = 1.2  # times the pattern's own contrast
_MORE = 1.6  # of the lost detail, since a share of the picture is the pattern alone
_ALONE = 0.4  # share of the pattern alone where all of a surface follows it
_ALIKE = 64  # levels of the guide that lie no further apart than neighbours on a surface
_OTHERS = (3, 5)  # of eight neighbours that are alike: none is drawn, all is drawn
_RAREST = 1.0  # percent of a surface's colours, at either end, that do not count as its own
_QUIET = 1.5 / 255  # detail that cannot be told from rounding
_WRAP = 32  # px that a picture is continued by along axes that repeat


def detailed(
    pictures: Tensor,
    otherwise: Tensor,
    guide: Image8 | None,
    amount: float,
    tile: TileAxes = TileAxes.OFF,
) -> Tensor:
    """A picture (1, 3, h, w), 0–1, with the detail that its guide (h, w, 3) tells.

    `otherwise`: the same as it shall be where it does not follow the guide. `amount`: 0 gives
    `otherwise`, 1 the whole effect. Off the guide's surfaces it is `otherwise` always.
    """
    if guide is None or amount <= 0:
        return otherwise
    soft, plain = (x[0].float().cpu().permute(1, 2, 0).numpy() for x in (pictures, otherwise))
    across, down = axes_of(tile)
    pads = [(_WRAP * down, _WRAP * down), (_WRAP * across, _WRAP * across), (0, 0)]
    soft, plain, guide = (np.pad(x, pads, mode="wrap") for x in (soft, plain, guide))
    found = np.ascontiguousarray(drawn_again(soft, plain, guide, amount))
    height, width = pictures.shape[2:]
    top, left = pads[0][0], pads[1][0]
    found = found[top : top + height, left : left + width]
    return torch.from_numpy(found).permute(2, 0, 1)[None].to(otherwise)


def drawn_again(soft: Floats, otherwise: Floats, guide: Image8, amount: float) -> Floats:
    """`detailed` of pictures (h, w, 3)."""
    shown = (guide != NEUTRAL).any(-1)
    count, surfaces = cv2.connectedComponents(shown.astype(np.uint8), connectivity=8)
    out = otherwise.copy()
    for number in range(1, count):
        surface = surfaces == number
        if surface.sum() < _LEAST:
            continue
        box = _box(surface)
        inside = surface[box]
        redrawn, share = _redrawn(soft[box], guide[box], inside)
        mixed = out[box] + amount * share[..., None] * (redrawn - out[box])
        out[box][inside] = mixed[inside]
    return out


def _redrawn(picture: Floats, guide: Image8, surface: Mask) -> tuple[Floats, Floats]:
    """A surface with the detail of its pattern, and how far that holds, (h, w), 0..1."""
    pattern = pattern_of(picture, guide, surface)
    follows, contrast, all_over = _judged(picture, pattern, surface.astype(np.float32))
    lost = pattern.sharp - pattern.soft
    sharper = picture + _MORE * np.clip(contrast, 0, _STRONGEST)[..., None] * lost
    alone = _ALONE * _rising(all_over, _FOLLOWS)
    share = _rising(follows, _FOLLOWS) * _rising(all_over, _AT_ALL) * _among_others(guide)
    redrawn = sharper + alone * (pattern.sharp - sharper)
    return _of_its_hues(redrawn, picture, picture[surface]), share


def _of_its_hues(redrawn: Floats, picture: Floats, own: Floats) -> Floats:
    """A picture (h, w, 3) in the hues between those of a surface's own colours (n, 3): undoing more
    blur than there was turns the grey between red bricks green. Where the painting itself goes
    further, so far; its light is left as it is."""
    away = own - (own @ LUMA)[:, None]
    least, most = np.percentile(away, [_RAREST, 100 - _RAREST], axis=0).astype(np.float32)
    light, was = redrawn @ LUMA, picture - (picture @ LUMA)[..., None]
    hue = redrawn - light[..., None]
    hue = np.clip(hue, np.minimum(least, was), np.maximum(most, was))
    # Clipped channel by channel, hues no longer weigh nothing.
    out: Floats = np.clip(light[..., None] + hue - (hue @ LUMA)[..., None], 0, 1)
    return out


def _judged(picture: Floats, pattern: Pattern, mask: Floats) -> tuple[Floats, Floats, Floats]:
    """Of the detail around each pixel, (h, w): the share that the pattern foretells, and how much
    stronger than foretold it is; then that share of all the surface, ()."""
    there, foretold = (_detail(x, mask) for x in (picture, pattern.foretold))
    pairs = ((there, foretold), (there, there), (foretold, foretold), (mask[..., None],) * 2)
    products = [np.asarray((one * other).sum(-1)) for one, other in pairs]
    around = [blurred(product, _NEAR) for product in products]
    told = np.maximum(around[2], 0) + _QUIET**2 * around[3] + np.float32(1e-9)
    whole = [np.asarray(product.sum()) for product in products]
    return _foretold(*around), around[0] / told, _foretold(*whole)


def _foretold(common: Floats, own: Floats, told: Floats, count: Floats) -> Floats:
    """The share of a detail's own power that it has in common with what was foretold."""
    quiet = _QUIET**2 * count + np.float32(1e-9)
    out: Floats = np.maximum(common, 0) ** 2 / (
        (np.maximum(own, 0) + quiet) * (np.maximum(told, 0) + quiet)
    )
    return out


def _detail(picture: Floats, mask: Floats) -> Floats:
    out: Floats = (picture - mean_around(picture, mask, _COARSE)) * mask[..., None]
    return out


def _among_others(guide: Image8) -> Floats:
    """How far each pixel (h, w) is one of several that see the same place of the pattern, 0..1:
    where the guide changes its axis, single pixels stand in another place than all around them."""
    height, width = guide.shape[:2]
    place = np.pad(guide[..., :2].astype(np.int16), ((1, 1), (1, 1), (0, 0)), mode="edge")
    alike = np.zeros((height, width), np.float32)
    for down, right in np.ndindex(3, 3):
        apart = np.abs(place[down : down + height, right : right + width] - guide[..., :2])
        apart[..., 1] = np.minimum(apart[..., 1], 255 - apart[..., 1])  # green is periodic
        alike += apart.max(-1) <= _ALIKE
    few, enough = _OTHERS
    out: Floats = np.clip((alike - 1 - few) / (enough - few), 0, 1)
    return out


def _rising(share: Floats, between: tuple[float, float]) -> Floats:
    low, high = between
    t = np.clip((share - low) / (high - low), 0, 1)
    out: Floats = t * t * (3 - 2 * t)
    return out


def _box(surface: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.nonzero(surface)
    return (
        slice(max(0, int(rows.min()) - _AROUND), int(rows.max()) + 1 + _AROUND),
        slice(max(0, int(columns.min()) - _AROUND), int(columns.max()) + 1 + _AROUND),
    )
