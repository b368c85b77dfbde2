"""Lines, ellipses and discs drawn into arrays, row 0 at the top."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Image8 = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)


def blank(width: int, height: int) -> Image8:
    """A black picture, (height, width, 3) uint8."""
    return np.zeros((height, width, 3), np.uint8)


def draw_line(picture: Image8, points: Points, width: float, colour: Colour = WHITE) -> None:
    """Draw through `points` (N, 2), pixels as (x, y), with round ends and soft edges, `width`
    pixels thick; one point is a dot."""
    ends = points[1:] if len(points) > 1 else points
    for a, b in zip(points, ends, strict=False):
        box = _box(picture, np.stack([a, b]), width / 2 + 1)
        if box is None:
            continue
        part, x, y = box
        along = b - a
        length = float(along @ along)
        at = 0.0 if not length else ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / length
        t = np.clip(at, 0.0, 1.0)
        distance = np.hypot(x - a[0] - t * along[0], y - a[1] - t * along[1])
        _lay(part, np.clip(width / 2 + 0.5 - distance, 0.0, 1.0), colour)


def draw_limb(picture: Image8, a: Points, b: Points, width: float, colour: Colour) -> None:
    """An ellipse from `a` to `b`, (x, y), `width` pixels at its thickest."""
    box = _box(picture, np.stack([a, b]), width / 2 + 1)
    half = float(np.hypot(*(b - a))) / 2
    if box is None or half < 0.5:
        return
    part, x, y = box
    middle, way = (a + b) / 2, (b - a) / (2 * half)
    along = (x - middle[0]) * way[0] + (y - middle[1]) * way[1]
    across = (y - middle[1]) * way[0] - (x - middle[0]) * way[1]
    inside = (along / half) ** 2 + (across / (width / 2)) ** 2 <= 1
    part[inside] = colour


def draw_disc(picture: Image8, centre: Points, radius: float, colour: Colour) -> None:
    """A disc about (x, y)."""
    box = _box(picture, centre[None], radius + 1)
    if box is not None:
        part, x, y = box
        part[np.hypot(x - centre[0], y - centre[1]) <= radius] = colour


def thicker(marks: npt.NDArray[np.bool_], radius: int) -> npt.NDArray[np.bool_]:
    """What lies within so many pixels of a mark, (h, w): in an octagon, which is nearly round."""
    out = marks
    for step in range(radius):
        wide = np.pad(out, 1)
        found = out | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
        if step % 2:
            found |= wide[:-2, :-2] | wide[:-2, 2:] | wide[2:, :-2] | wide[2:, 2:]
        out = found
    return out


def _box(picture: Image8, points: Points, room: float) -> tuple[Image8, Any, Any] | None:
    """The part of a picture about points, and where its pixels' middles are; None outside."""
    height, width = picture.shape[:2]
    low = np.floor(points.min(0) - room).astype(int).clip(0)
    high = np.ceil(points.max(0) + room).astype(int).clip(None, (width, height))
    if (low >= high).any():
        return None
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.5
    return picture[low[1] : high[1], low[0] : high[0]], x, y


def _lay(part: Image8, cover: Any, colour: Colour) -> None:
    """The lighter of what is there and what is laid on it."""
    laid = (cover[..., None] * np.array(colour, np.float64) + 0.5).astype(np.uint8)
    np.maximum(part, laid, out=part)
