"""A frame around a picture whose edges are dragged: where they are, and what is added. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from underpaint.pictures.outpaint import Sides

BLOCK = 8
"""Added pixels are whole cells of what paints."""
_FARTHEST = 2.0  # of the picture's side, beyond each edge
_AXES = {"left": (0, -1), "right": (0, 1), "bottom": (1, -1), "top": (1, 1)}
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """`size`: the picture's width and height, px. `added`: px beyond each edge, in steps of 8.
    `held`: the edges that are dragged, with how far each was when that began."""

    size: tuple[int, int]
    added: Sides = field(default_factory=Sides)
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top, the picture's own being 0, 0, 1, 1."""
        (width, height), a = self.size, self.added
        return (-a.left / width, -a.bottom / height, 1 + a.right / width, 1 + a.top / height)

    @property
    def whole(self) -> tuple[int, int]:
        """Width and height of the whole canvas, px."""
        (width, height), a = self.size, self.added
        return width + a.left + a.right, height + a.top + a.bottom

    @property
    def is_larger(self) -> bool:
        """Whether anything is added."""
        return self.whole != self.size


def edges_at(low: Point, high: Point, at: Point, reach: float) -> tuple[str, ...]:
    """The edges of a rectangle (its lower left and upper right on the screen) that lie at most
    `reach` from a point: one, two at a corner, or none."""
    near_x = low[0] - reach <= at[0] <= high[0] + reach
    near_y = low[1] - reach <= at[1] <= high[1] + reach
    found = []
    for first, second, along, near in (("left", "right", 0, near_y), ("bottom", "top", 1, near_x)):
        far = {first: abs(at[along] - low[along]), second: abs(at[along] - high[along])}
        closest = min(far, key=lambda name: far[name])
        if near and far[closest] <= reach:
            found.append(closest)
    return tuple(found)


def taken(frame: Frame, edges: tuple[str, ...]) -> Frame:
    """The frame with these edges in the hand; none lets go."""
    return replace(frame, held={name: getattr(frame.added, name) for name in edges})


def dragged(frame: Frame, by: Point) -> Frame:
    """The frame with the edges in the hand moved by so many parts of the picture's sides, since
    they were taken. An edge never comes into the picture."""
    moved = {}
    for name, began in frame.held.items():
        axis, outwards = _AXES[name]
        side = frame.size[axis]
        pixels = began + outwards * by[axis] * side
        most = int(_FARTHEST * side) // BLOCK
        moved[name] = BLOCK * min(most, max(0, round(pixels / BLOCK)))
    return replace(frame, added=replace(frame.added, **moved))
