"""What a painting makes of its guide: a table of colours by the guide's three values.

A painting that follows its guide is light x pattern, seen through a blur, and the guide tells each
pixel's place in the pattern exactly. A pattern comes many times in a picture, a little shifted
against the pixels each time, so a table of it can be read off sharper than any one of its copies:
the deconvolution of a table with few steps in it (total variation: Rudin, Osher and Fatemi 1992,
by reweighted least squares and conjugate gradients).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Image8 = npt.NDArray[np.uint8]
BLUR = 1.8  # px, standard deviation: what denoiser and decoder take from the training renders
_CELLS = (13, 24, 7)  # of the table, along red (no period), green (periodic), blue (of its middle)
_NOISE = (0.15, 0.85)  # what of blue the table tells apart
_STEPS = (1.0, 1.0, 0.8)  # how much a step of the table costs along each axis
_COST = 1.5e-6  # of the table's steps, for each pixel
_STEADY = 1e-7  # of leaving the mean colour, for each pixel: of cells that no pixel shows
_SMALL_STEP = 0.03  # below which steps cost by their square
_FIRST_COST = 4.0  # of every step, while there is no table yet to tell steps from noise
_BROAD, _LIGHT = 12.0, 6.0  # px, standard deviation: over which light is even, first and then
_DARK = 0.02  # beneath which light cannot be told from black
_FOLD = 16  # px, side of the blocks that are foretold from the others
_MOST = 65_536  # pixels that a table is read from
_BLOCK = 64  # px, side of the blocks that are left out of larger surfaces
LUMA = np.array([0.3, 0.59, 0.11], np.float32)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A painting as its guide tells it, (h, w, 3), 0..1, zero off the surface.

    `sharp`: before the blur, `soft`: behind it; `foretold`: `soft` of each block of pixels as the
    table of the other blocks has it, which knows nothing of the block's own colours.
    """

    sharp: Floats
    soft: Floats
    foretold: Floats


def pattern_of(picture: Floats, guide: Image8, surface: Mask) -> Pattern:
    """Read a picture (h, w, 3), 0..1, by its guide on one surface (h, w), not empty."""
    mask = surface.astype(np.float32)
    read = _some_of(surface)
    part = _Seen.of(guide, read, mean_around(picture @ LUMA, mask, _BROAD) + _DARK)
    colours = picture[read]
    everything = np.ones(len(colours), np.float32)
    table = _solved(part, colours, everything, None, rounds=1, tries=8)
    whole = part if read is surface else _Seen.of(guide, surface, part.light)
    drawn = whole.pictured(whole.cells @ table) @ LUMA
    even = np.maximum(mean_around(drawn, mask, _LIGHT), np.float32(_DARK))
    light = np.asarray(mean_around(picture @ LUMA, mask, _LIGHT) / even, np.float32)
    part, whole = part.under(light), whole.under(light)
    table = _solved(part, colours, everything, table, rounds=2, tries=6)
    foretold = np.zeros_like(whole.pictured(whole.cells @ table))
    folds = _folds(surface.shape)
    for fold in (False, True):
        known = (folds[read] == fold).astype(np.float32)
        other = _solved(part, colours, known, None, rounds=1, tries=8)
        there = surface & (folds != fold)
        foretold[there] = whole.pictured(whole.blurred(other))[there]
    return Pattern(
        whole.pictured((whole.cells @ table) * whole.lit),
        whole.pictured(whole.blurred(table)),
        foretold,
    )


def blurred(values: Floats, spread: float) -> Floats:
    """(h, w) or (h, w, c) with nothing around it, through a Gaussian of so many pixels."""
    out: Floats = cv2.GaussianBlur(values, (0, 0), spread, borderType=cv2.BORDER_CONSTANT)
    return out


def mean_around(values: Floats, mask: Floats, spread: float) -> Floats:
    """Gaussian means of what is inside a mask (h, w), of (h, w) or (h, w, c) values."""
    total = blurred(mask, spread) + np.float32(1e-6)
    if values.ndim == 2:
        return blurred(values * mask, spread) / total
    return blurred(values * mask[..., None], spread) / total[..., None]


@dataclass(frozen=True, slots=True)
class _Seen:
    """How pixels of a surface see the table: `cells` (n, table) weighs its cells, `lit` (n, 1)
    times the light, `reach` (h, w) what of the blur falls on the surface. `shown` @ picture is
    the way back."""

    surface: Mask
    cells: Any
    shown: Any
    reach: Floats
    light: Floats

    @classmethod
    def of(cls, guide: Image8, surface: Mask, light: Floats) -> _Seen:
        cells = _weights(guide[surface])
        reach = blurred(surface.astype(np.float32), BLUR) + np.float32(1e-6)
        return cls(surface, cells, cells.T.tocsr(), reach[..., None], light)

    def under(self, light: Floats) -> _Seen:
        return _Seen(self.surface, self.cells, self.shown, self.reach, light)

    @property
    def lit(self) -> Floats:
        return self.light[self.surface][:, None]

    def pictured(self, colours: Floats) -> Floats:
        out = np.zeros((*self.surface.shape, colours.shape[1]), np.float32)
        out[self.surface] = colours
        return out

    def blurred(self, table: Floats) -> Floats:
        sharp = self.pictured((self.cells @ table) * self.lit)
        return np.asarray((blurred(sharp, BLUR) / self.reach)[self.surface])

    def back(self, colours: Floats) -> Floats:
        spread = blurred(self.pictured(colours) / self.reach, BLUR)[self.surface]
        return np.asarray(self.shown @ (spread * self.lit))


def _solved(
    seen: _Seen, colours: Floats, known: Floats, table: Floats | None, rounds: int, tries: int
) -> Floats:
    """The table (cells, 3) whose blurred picture has these colours (n, 3) where `known` is 1, with
    as few steps as may be. `table`: one to go on from; `rounds`: how often steps are weighed."""
    weight = known[:, None]
    many = np.float32(max(float(known.sum()), 1.0))
    mean = (colours * weight).sum(0) / np.maximum((weight * seen.lit).sum(0), 1e-6)
    found: Floats = np.broadcast_to(mean, (seen.cells.shape[1], 3)).astype(np.float32)
    found = found if table is None else table
    wanted = seen.back(colours * weight) + _STEADY * many * mean
    for _ in range(rounds):
        costs = _costs(table) * (_COST * many)

        def pulled(x: Floats, costs: Any = costs) -> Floats:
            out: Floats = seen.back(seen.blurred(x) * weight) + costs @ x + _STEADY * many * x
            return out

        found = _conjugate(pulled, wanted, found, tries)
        table = found
    return found


def _conjugate(pulled: Any, wanted: Floats, start: Floats, tries: int) -> Floats:
    """Conjugate gradients, each column by itself."""
    x, rest = start, wanted - pulled(start)
    way, left = rest, (rest * rest).sum(0)
    for _ in range(tries):
        moved = pulled(way)
        step = left / np.maximum((way * moved).sum(0), 1e-12)
        x, rest = x + step * way, rest - step * moved
        now = (rest * rest).sum(0)
        way, left = rest + now / np.maximum(left, 1e-12) * way, now
    return x


def _costs(table: Floats | None) -> Any:
    """The matrix of what steps cost, as weighed by the steps of a table."""
    total: Any = 0
    for difference, cost in zip(_differences(), _STEPS, strict=True):
        weights = np.full(difference.shape[0], _FIRST_COST, np.float32)
        if table is not None:
            size = ((difference @ table) ** 2).sum(1)
            weights = (cost / np.sqrt(size + _SMALL_STEP**2)).astype(np.float32)
        total = total + difference.T @ sparse.diags(weights) @ difference
    return total.tocsr().astype(np.float32)


@lru_cache(maxsize=1)
def _differences() -> tuple[Any, ...]:
    """Matrices (pairs, cells) of neighbours' differences along each of the table's axes."""
    red, green, blue = (sparse.identity(count) for count in _CELLS)
    along = [_open_steps(_CELLS[0]), _round_steps(_CELLS[1]), _open_steps(_CELLS[2])]
    return tuple(
        sparse.kron(sparse.kron(first, second), third).tocsr().astype(np.float32)
        for first, second, third in (
            (along[0], green, blue),
            (red, along[1], blue),
            (red, green, along[2]),
        )
    )


def _open_steps(count: int) -> Any:
    return sparse.diags([-np.ones(count - 1), np.ones(count - 1)], [0, 1], (count - 1, count))


def _round_steps(count: int) -> Any:
    return sparse.csr_matrix(np.roll(np.eye(count), 1, 1) - np.eye(count))


def _weights(guide: Image8) -> Any:
    """Trilinear weights (n, cells) of guide values (n, 3)."""
    red, green, blue = np.moveaxis(guide.astype(np.float32) / 255, -1, 0)
    low, high = _NOISE
    middle = np.clip((blue - low) / (high - low), 0, 1)
    places = (red * (_CELLS[0] - 1), green * _CELLS[1], middle * (_CELLS[2] - 1))
    index = np.zeros((len(guide), 1), np.int64)
    weight = np.ones((len(guide), 1), np.float32)
    for axis, (at, count) in enumerate(zip(places, _CELLS, strict=True)):
        floor = np.floor(at).astype(np.int64)
        over = (at - floor).astype(np.float32)
        ends = np.stack((floor, floor + 1), 1)
        ends = ends % count if axis == 1 else np.minimum(ends, count - 1)
        index = (index[:, :, None] * count + ends[:, None]).reshape(len(guide), -1)
        parts = np.stack((1 - over, over), 1)
        weight = (weight[:, :, None] * parts[:, None]).reshape(len(guide), -1)
    starts = np.arange(0, index.size + 1, index.shape[1])
    shape = (len(guide), int(np.prod(_CELLS)))
    return sparse.csr_matrix((weight.ravel(), index.ravel(), starts), shape)


def _some_of(surface: Mask) -> Mask:
    """Blocks of a surface that has more pixels than a table needs; else the surface itself."""
    share = -(-int(surface.sum()) // _MOST)
    return surface if share == 1 else surface & (_blocks(surface.shape, _BLOCK) % share == 0)


def _folds(shape: tuple[int, ...]) -> Mask:
    return np.asarray(_blocks(shape, _FOLD) % 2 == 1)


def _blocks(shape: tuple[int, ...], side: int) -> npt.NDArray[np.int64]:
    rows, columns = (np.arange(count) // side for count in shape)
    return rows[:, None] + columns
