"""Which way is up: turns between a file's axes, Blender's (Z up, front -Y) and glTF's (Y up, front
+Z). Axes are exchanged and never mixed, so that no bit of a coordinate is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
AXES = ("x", "y", "z")
_TO_Z: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "x": ((1, 2, 0), (1, 1, 1)),
    "y": ((0, 2, 1), (1, -1, 1)),
    "z": ((0, 1, 2), (1, 1, 1)),
}


def to_z_up(rows: Array, up: str) -> Array:
    """Positions or normals (n, 3) with their up axis on +Z."""
    order, signs = _TO_Z[up]
    return np.ascontiguousarray(rows[:, order] * np.array(signs, rows.dtype))


def to_y_up(rows: Array, up: str) -> Array:
    """The same with their up axis on +Y, as glTF has it."""
    if up == "y":
        return rows
    turned = to_z_up(rows, up)
    return np.ascontiguousarray(turned[:, (0, 2, 1)] * np.array((1, 1, -1), rows.dtype))
