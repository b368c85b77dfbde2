"""What earlier frames painted, brought along to where it is now.

A pixel takes its colour from the frame in which its spot was painted, directly: however long the
series, colours are resampled once. The newest paint of a spot counts; what was hidden in between
comes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .motion import Distances, Indices, Mask, Target, behind, from_edges, motion, target
from .sampling import Image8, sharp_at
from .tracks import Float64, Track

_FRAMES, _PIXELS = 64, 1 << 26
_CELL = 8  # px of a latent cell
_COARSE = 0.5  # px of the source a px: below, its paint is drawn out to more than twice its size


@dataclass(frozen=True, slots=True)
class Painted:
    """A frame that is done. `fresh` (h, w): what it painted itself; `inside` (h, w): px to the
    next edge (see `from_edges`), near which paint of both sides is mixed."""

    target: Target
    picture: Image8
    fresh: Mask
    inside: Distances


@dataclass(frozen=True, slots=True)
class Recalled:
    """`picture` (h, w, 3) where `known` (h, w); `coarse`: known, and drawn out too far."""

    picture: Image8
    known: Mask
    coarse: Mask


def painted(track: Track, picture: Image8, fresh: Mask) -> Painted:
    """A done frame, ready to be remembered."""
    return Painted(target(track), picture, fresh, from_edges(track, mixed_width(track.size)))


def mixed_width(size: tuple[int, int]) -> int:
    """How far from an outline, or from where the picture ends, paint is not what it is farther
    inside, px: a network that paints cells of eight pixels mixes both sides that far, and has a rim
    of its own at the picture's end. Tiny pictures have no room for as much."""
    side = min(size)
    return max(3, min(_CELL, side // 32), round(side / 128))


def remembered(frames: list[Painted]) -> list[Painted]:
    """Those of the frames so far, oldest first, that the next looks into: the first, and the last
    of the others; 64 at up to a megapixel, fewer of larger ones."""
    most = max(2, min(_FRAMES, _PIXELS // frames[0].picture[..., 0].size))
    return frames if len(frames) <= most else [frames[0], *frames[1 - most :]]


def recall(track: Track, frames: list[Painted]) -> Recalled:
    """What the frames, oldest first, know of a new one. Looked into from the newest on for what
    each has painted; what then is missing is taken from whatever the last one shows."""
    count = int(np.prod(track.size))
    width = mixed_width(track.size)
    inside = from_edges(track, width).reshape(-1)
    # What the near side of an edge has bled into its far side stays at that edge. The near side
    # takes its own rim along; outlines of pixels are uneven by one.
    rim = inside - ~behind(track, width).reshape(-1)
    colors = np.zeros((count, 3), np.float32)
    at, source = np.full((count, 2), np.nan), np.full(count, -1)
    looks = [(n, frames[n], True) for n in reversed(range(len(frames)))]
    for number, frame, own in [*looks, *((n, f, False) for n, f, _ in looks[:1])]:
        open_ = np.flatnonzero(source < 0)
        found = motion(track, frame.target, open_)
        good = found.seen & (
            frame.inside.reshape(-1)[found.pixel] >= (rim if own else inside)[open_]
        )
        if own:
            good &= frame.fresh.reshape(-1)[found.pixel]
        pixels = open_[good]
        at[pixels], source[pixels] = found.at[good], number
        colors[pixels] = sharp_at(frame.picture, found.at[good])
    known = (source >= 0).reshape(track.size)
    picture = colors.round().clip(0, 255).astype(np.uint8).reshape(*track.size, 3)
    return Recalled(picture, known, known & _drawn_out(at, source, track))


def _drawn_out(at: Float64, source: Indices, track: Track) -> Mask:
    """(h, w): where a step of a pixel is less than half a pixel of its source."""
    at, source = at.reshape(*track.size, 2), source.reshape(track.size)
    out = np.zeros(track.size, bool)
    for step, one, other in _neighbours(at, source, track):
        small = np.linalg.norm(step, axis=-1) < _COARSE
        out[one] |= small
        out[other] |= small
    return out


def _neighbours(
    at: Float64, source: Indices, track: Track
) -> Iterable[tuple[Float64, tuple[slice, slice], tuple[slice, slice]]]:
    """Steps between neighbours of one item and source, across and down; others are infinite."""
    whole, before, after = slice(None), slice(None, -1), slice(1, None)
    for one, other in (((whole, before), (whole, after)), ((before, whole), (after, whole))):
        same = (source[one] == source[other]) & (track.item[one] == track.item[other])
        yield np.where(same[..., None], at[other] - at[one], np.inf), one, other
