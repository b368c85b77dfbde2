"""The preview itself: how squarely each piece is seen at best, and how much is seen. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from underpaint.cameras import Camera
from underpaint.errors import ErrorCode, RequestError

from ..texture.scene_mesh import ReadObject
from .standing import is_room, places
from .surface import Floats, Surface, surface_of

REACHED = 0.1
"""A piece counts as seen from this cosine on, as in a texture's own figures."""
POOR = 0.35
_PLANNED_BY = 3000
_CANDIDATES = 66
_MOST = 40_000
Key = tuple[object, ...]
Depth = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """`corners` (n, 3, 3) world space; `cosine` (n,) the best at which each is seen, 0: by no view;
    `seen`: the part of the area that is, 0–1. `key`: of what and from where."""

    corners: npt.NDArray[np.float32]
    cosine: Floats
    seen: float
    views: int
    key: Key


@dataclass(slots=True)
class Looking:
    """How far a preview is. Written by its thread, read by the panel."""

    rays: int = 0
    of: int = 1
    views: list[tuple[Camera, Depth]] = field(default_factory=list)

    @property
    def fraction(self) -> float:
        """0–1."""
        return min(self.rays / max(self.of, 1), 1.0)

    def cast(self, count: int) -> None:
        """So many more rays."""
        self.rays += count


def preview(objects: Sequence[ReadObject], count: int, key: Key, looking: Looking) -> Preview:
    """What the views in `looking` see of the objects or, where there are none, `count` views placed
    about them as the painter will. In any thread: a second for ten thousand triangles.

    Raises RequestError(BAD_MESH) for a room, which the painter looks at from within.
    """
    from .seeing import seen_in

    surface = surface_of(objects)
    if looking.views:
        each = [seen_in(surface, camera, depth) for camera, depth in looking.views]
        return _told(surface, np.max(each, axis=0), len(each), key)
    if is_room(surface):
        raise RequestError(
            ErrorCode.BAD_MESH,
            "a room is painted from within, and what is seen there is known only then",
            hint="Place cameras in the room and choose Cameras to see what they show.",
        )
    return _told(surface, _placed(surface, count, looking), count, key)


def _placed(surface: Surface, count: int, looking: Looking) -> Floats:
    from .seeing import Rays

    pieces = len(surface.area)
    every = -(-pieces // _MOST)
    rows = np.arange(0, pieces, every)
    looking.of = (_CANDIDATES * min(_PLANNED_BY, pieces) + count * len(rows)) * 9 // 20
    rays = Rays(surface, looking.cast)
    sample = spread(surface, _PLANNED_BY)
    eyes = places(part_of(surface, sample), count, lambda eye: rays.seen_from(eye, sample))
    best = np.zeros(len(rows))
    for eye in eyes:
        best = np.maximum(best, rays.seen_from(eye, rows))
    return np.repeat(best, every)[:pieces]


def spread(surface: Surface, count: int) -> npt.NDArray[np.int64]:
    """Rows of about `count` pieces, by area."""
    ends = surface.area.cumsum()
    steps = (np.arange(count) + 0.5) / count * ends[-1]
    rows = np.searchsorted(ends, steps).clip(0, len(ends) - 1)
    return np.unique(rows).astype(np.int64)


def part_of(surface: Surface, rows: npt.NDArray[np.int64]) -> Surface:
    """Some pieces of a surface; what hides stays whole."""
    whole = (surface.vertices, surface.triangles)
    pieces = (surface.corners, surface.middle, surface.normal, surface.area)
    return Surface(*whole, *(piece[rows] for piece in pieces))


def _told(surface: Surface, cosine: Floats, views: int, key: Key) -> Preview:
    area = surface.area
    seen = float(area[cosine > REACHED].sum() / max(area.sum(), 1e-300))
    return Preview(surface.corners.astype(np.float32), cosine, seen, views, key)


def colours(cosine: Floats) -> npt.NDArray[np.float32]:
    """(n, 4) what each piece is shown in: red where nothing sees it, yellow where it is seen
    aslant, green where it is seen well."""
    red, yellow, green = (0.9, 0.08, 0.08, 0.85), (0.95, 0.75, 0.1, 0.6), (0.15, 0.7, 0.3, 0.35)
    table = np.array([red, yellow, green], np.float32)
    kind = (cosine > REACHED).astype(np.int64) + (cosine > POOR)
    return table[kind]
