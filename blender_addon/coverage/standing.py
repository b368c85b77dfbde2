"""Where the painter's cameras will stand about an object. No bpy.

The same plan as the daemon's (`texturing/cameras/rig.py`): four around and the poles, then of many
directions those that show most of what is not seen squarely yet. A test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .surface import Floats, Surface

_DISTANCE = 4.0  # of the object's radius
_GREEDY = 6
_FLAT = 0.1
_RINGS = (-50.0, -20.0, 0.0, 25.0, 55.0)
_A_RING = 12
_FOUR = (0.0, 90.0, 180.0, 270.0)
Way = tuple[float, float]
"""Azimuth (0 = front, from -Y; 90 = from +X) and elevation, degrees."""
Cosines = Callable[[Floats], Floats]
"""From a place (3,) to the cosine (n,) at which each piece is seen from there; 0: it is not."""


def is_room(surface: Surface) -> bool:
    """Whether it is closed and faces inward: the painter looks at it from within."""
    whole = surface.area.sum()
    turned = surface.normal * surface.area[:, None]
    if np.linalg.norm(turned.sum(0)) > 0.01 * whole:
        return False
    inward = ((surface.middle - surface.centre) * turned).sum()
    return bool(inward < -1e-6 * whole * surface.radius)


def places(surface: Surface, count: int, seen_from: Cosines) -> list[Floats]:
    """`count` places (3,) to look from."""
    return [place(surface, way) for way in _ways(surface, count, seen_from)]


def place(surface: Surface, way: Way) -> Floats:
    """Where a camera of this direction stands."""
    azimuth, elevation = (math.radians(angle) for angle in way)
    flat = math.cos(elevation)
    toward = (flat * math.sin(azimuth), -flat * math.cos(azimuth), math.sin(elevation))
    return surface.centre + np.array(toward) * max(surface.radius, 1e-9) * _DISTANCE


def _ways(surface: Surface, count: int, seen_from: Cosines) -> list[Way]:
    if count < _GREEDY:
        return [*_poles_of_flat(surface), *_around(count)][:count]
    chosen: list[Way] = [*((turn, 20.0) for turn in _FOUR), (0.0, 90.0), (0.0, -90.0)]
    others = [
        (360.0 * (i + 0.5 * (height < 0)) / _A_RING, height)
        for height in _RINGS
        for i in range(_A_RING)
    ]
    best = np.zeros(len(surface.area))
    for way in chosen:
        best = np.maximum(best, np.sqrt(seen_from(place(surface, way))))
    if count == _GREEDY:
        return chosen
    table = np.stack([np.sqrt(seen_from(place(surface, way))) for way in others])
    for _ in range(count - _GREEDY):
        gains = ((table - best).clip(min=0) * surface.area).sum(1)
        index = int(gains.argmax())
        chosen.append(others[index])
        best = np.maximum(best, table[index])
    return chosen


def _around(count: int) -> list[Way]:
    """Up to five ways, the front first."""
    if count <= len(_FOUR):
        return [(turn, 0.0) for turn in _FOUR[:count]]
    above: list[Way] = [(120.0 * i, 20.0) for i in range(3)]
    return above + [(60.0 + 180.0 * i, -20.0) for i in range(count - 3)]


def _poles_of_flat(surface: Surface) -> list[Way]:
    """Top and bottom, the one that sees more first, of what lies flat."""
    sideways = np.linalg.norm(surface.normal[:, :2], axis=1) @ surface.area
    if sideways > _FLAT * surface.area.sum():
        return []
    poles: list[Way] = [(0.0, 90.0), (0.0, -90.0)]
    return poles if surface.normal[:, 2] @ surface.area >= 0 else poles[::-1]
