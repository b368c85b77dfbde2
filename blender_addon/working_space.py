"""The primaries of Blender's own linear colours: those of the file's working space (Blender 5), or
of the studio's colour configuration."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from mathutils import Color

from .plain.srgb import Floats

_ROUNDING = 1e-4


def to_rec709() -> Floats:
    """(3, 3): scene-linear colours, as columns, to linear Rec.709; exactly one where they are."""
    columns = [tuple(Color(axis).from_scene_linear_to_rec709_linear()) for axis in np.eye(3)]
    found = np.array(columns, np.float32).T
    same = np.eye(3, dtype=np.float32)
    return same if np.abs(found - same).max() < _ROUNDING else found


def rec709(light: Iterable[float]) -> tuple[float, float, float]:
    """The first three numbers of a scene-linear colour, as linear Rec.709."""
    red, green, blue, *_ = light
    out = to_rec709() @ np.array((red, green, blue), np.float32)
    return float(out[0]), float(out[1]), float(out[2])
