"""Where the spots that one frame shows lie in another, and whether they are seen there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..cameras import Camera, project, unproject
from .tracks import Float32, Float64, Int32, Placing, Track

Mask = npt.NDArray[np.bool_]
Distances = npt.NDArray[np.int16]
Indices = npt.NDArray[np.int64]
_FAR = 1e7  # metres to the background: so far that only turns of the camera move it
_SAME_SPOT = 2e-3  # of the depth, beside what a pixel's neighbours vary by
_JUMP = 0.04  # of the depth from one pixel to the next: another part of the form


@dataclass(frozen=True, slots=True)
class Motion:
    """Of n pixels: `at` (n, 2) px (x, y) in the other frame, `seen` (n,): they are visible there,
    `pixel` (n,) the flat index of the pixel there that shows them (0 where not seen)."""

    at: Float64
    seen: Mask
    pixel: Indices


@dataclass(frozen=True, slots=True)
class Target:
    """A frame that others look into: what of its track is needed for that. `near`, `far` (h, w):
    the range of depth in a pixel and its neighbours of the same item."""

    camera: Camera
    item: Int32
    placings: tuple[Placing, ...]
    near: Float32
    far: Float32


def target(track: Track) -> Target:
    """A track made ready to be looked into."""
    near, far = track.depth.copy(), track.depth.copy()
    for depth, item in _around(track):
        same = item == track.item
        np.minimum(near, depth, out=near, where=same)
        np.maximum(far, depth, out=far, where=same)
    return Target(track.camera, track.item, track.placings, near, far)


def outlines(track: Track) -> Mask:
    """(h, w): pixels on either side of where one form ends before another."""
    at = np.zeros(track.size, bool)
    for depth, item in _around(track):
        with np.errstate(invalid="ignore"):
            jump = np.abs(depth - track.depth) > _JUMP * np.minimum(depth, track.depth)
        at |= (item != track.item) | jump
    return at


def from_edges(track: Track, most: int) -> Distances:
    """(h, w): pixels to the next outline or to where the picture ends, from 0 on; what is `most` or
    farther is `most`."""
    at = outlines(track)
    at[[0, -1]] = True
    at[:, [0, -1]] = True
    out = np.full(track.size, most, np.int16)
    for distance in range(most):
        out[at] = np.minimum(out[at], distance)
        at = grown(at, 1)
    return out


def behind(track: Track, within: int) -> Mask:
    """(h, w): pixels that have something nearer beside them, at most `within` pixels away."""
    nearest = track.depth
    for _ in range(within):
        padded = np.pad(nearest, 1, mode="edge")
        nearest = np.minimum(np.minimum(padded[:-2], padded[1:-1]), padded[2:])
        nearest = np.minimum(np.minimum(nearest[:, :-2], nearest[:, 1:-1]), nearest[:, 2:])
    out: Mask = nearest < track.depth * (1 - _JUMP)
    return out


def grown(mask: Mask, by: int) -> Mask:
    """The mask and what lies within `by` pixels of it, across and down."""
    out = mask.copy()
    for _ in range(by):
        padded = np.pad(out, 1)
        out = out | padded[:-2, 1:-1] | padded[2:, 1:-1]
        padded = np.pad(out, 1)
        out = out | padded[1:-1, :-2] | padded[1:-1, 2:]
    return out


def motion(here: Track, there: Target, pixels: Indices) -> Motion:
    """Where the spots at flat indices `pixels` of `here` lie in `there`."""
    at, depth = project(there.camera, positions_in(here, there, pixels))
    item = _items_in(here, there)[here.item.reshape(-1)[pixels]]
    height, width = there.item.shape
    inside = np.isfinite(at).all(-1) & (depth > 0) & (item > -2)
    inside &= (at >= 0).all(-1) & (at[:, 0] < width) & (at[:, 1] < height)
    pixel = np.full(len(pixels), -1, np.int64)
    for column, row in _corners(np.where(inside[:, None], at, 0.0), (height, width)):
        index = row * width + column
        fits = inside & (pixel < 0) & _shows(there, index, item, depth)
        pixel[fits] = index[fits]
    return Motion(at, pixel >= 0, pixel.clip(0))


def positions_in(here: Track, there: Target, pixels: Indices) -> Float64:
    """World positions (n, 3) in the frame `there` of spots of `here`; NaN where the instance, or
    its mesh with the same faces, is not in that frame."""
    out = np.full((len(pixels), 3), np.nan)
    items = here.item.reshape(-1)[pixels]
    ahead = items < 0
    # What lies behind an orthographic camera's objects stays where it is on the screen.
    camera = there.camera if here.camera.orthographic else here.camera
    out[ahead] = _background(camera, here.size)[pixels[ahead]]
    placings = _items_in(here, there)
    for index, mine in _groups(items):
        if index < 0 or placings[index] < 0:
            continue
        placing = there.placings[placings[index]]
        corners = placing.shape.vertices[here.vertices.reshape(-1, 3)[pixels[mine]]]
        own = np.einsum("nij,ni->nj", corners, here.weights.reshape(-1, 3)[pixels[mine]])
        out[mine] = own.astype(np.float64) @ placing.to_world[:3, :3].T + placing.to_world[:3, 3]
    return out


def _items_in(here: Track, there: Target) -> Int32:
    """The item of `there` for each of `here`, -2 where it has no history; the last entry is for
    the background, which is -1 in both."""
    by_key = {placing.key: n for n, placing in enumerate(there.placings)}
    found = [by_key.get(placing.key, -2) for placing in here.placings]
    same = [
        n if n >= 0 and there.placings[n].shape.topology == placing.shape.topology else -2
        for n, placing in zip(found, here.placings, strict=True)
    ]
    return np.array([*same, -1], np.int32)


def _shows(there: Target, index: Indices, item: Int32, depth: Float64) -> Mask:
    """Whether the pixels at `index` show the item at that depth."""
    same: Mask = there.item.reshape(-1)[index] == item
    near, far = there.near.reshape(-1)[index], there.far.reshape(-1)[index]
    room = _SAME_SPOT * depth
    with np.errstate(invalid="ignore"):
        spot = (depth >= near - room) & (depth <= far + room)
    shows: Mask = same & (spot | (item == -1))
    return shows


def _groups(items: Int32) -> Iterator[tuple[int, Indices]]:
    """Each value and where it stands."""
    order = np.argsort(items, kind="stable")
    values, starts = np.unique(items[order], return_index=True)
    for value, start, end in zip(values, starts, [*starts[1:], len(items)], strict=False):
        yield int(value), order[start:end]


def _corners(at: Float64, size: tuple[int, int]) -> Iterator[tuple[Indices, Indices]]:
    """(column, row) of the pixel that holds each point, then of the three next to it."""
    height, width = size
    holding = np.floor(at).astype(np.int64)
    beside = holding + np.where(at - holding < 0.5, -1, 1)
    for x, y in ((holding, holding), (beside, holding), (holding, beside), (beside, beside)):
        yield x[:, 0].clip(0, width - 1), y[:, 1].clip(0, height - 1)


def _around(track: Track) -> Iterator[tuple[Float32, Int32]]:
    """Depth and item of each of the eight neighbours; beyond the frame, of the nearest pixel."""
    height, width = track.size
    depth = np.pad(track.depth, 1, mode="edge")
    item = np.pad(track.item, 1, mode="edge")
    for y in range(3):
        for x in range(3):
            if (x, y) != (1, 1):
                part = (slice(y, y + height), slice(x, x + width))
                yield depth[part], item[part]


@lru_cache(maxsize=2)
def _background(camera: Camera, size: tuple[int, int]) -> Float64:
    """(h·w, 3): points far behind every pixel."""
    return unproject(camera, np.full(size, _FAR)).reshape(-1, 3)
