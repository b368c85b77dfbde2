"""Masks from the form of what wears a material: how high it lies, or how steep it is. No bpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.surfaces import normal_matrix
from ..plain.udim import cells, tile_numbers
from ..texture.scene_mesh import ReadObject
from .uv_mask import Bytes, corner_values

Floats = npt.NDArray[np.float64]


class Form(StrEnum):
    """`HEIGHT`: 0 at the lowest spot, 1 at the highest. `SLOPE`: 0 faces up, 0.5 to the side, 1
    down."""

    HEIGHT = "HEIGHT"
    SLOPE = "SLOPE"


@dataclass(frozen=True, slots=True)
class Range:
    """Where it is white: between `low` and `high`, 0–1, with an edge of `soft` within them."""

    low: float
    high: float
    soft: float


def form_masks(
    worn: Sequence[tuple[ReadObject, Sequence[int]]], form: Form, where: Range, side: int
) -> Mapping[int, Bytes]:
    """(side, side) uint8 masks by UDIM number. `worn`: objects, and their slots that wear the
    material. Empty where nothing has a UV map."""
    read = [_corners(item, slots) for item, slots in worn if item.mesh.uv is not None]
    if not sum(len(uv) for uv, _, _ in read):
        return {}
    uv, height, up = (np.concatenate(column) for column in zip(*read, strict=True))
    if form is Form.HEIGHT:
        low, high = float(height.min()), float(height.max())
        value = (height - low) / max(high - low, 1e-9)
    else:
        value = np.arccos(np.clip(up, -1.0, 1.0)) / np.pi
    cell = cells(uv)
    numbers, inside = np.repeat(tile_numbers(cell), 3), uv - np.repeat(cell, 3, axis=0)
    return {
        int(number): _white(corner_values(inside[here], value[here], side), where)
        for number in np.unique(numbers)
        for here in [numbers == number]
    }


def _corners(item: ReadObject, slots: Sequence[int]) -> tuple[Any, Floats, Floats]:
    """UVs (3n, 2), heights (3n,) in metres and the normals' way up (3n,), of some slots."""
    triangles = item.mesh.triangles()
    wears = np.repeat(np.isin(triangles.material, list(slots)), 3)
    position = triangles.position[wears].astype(np.float64) @ item.to_world[:3, :3].T
    normal = triangles.normal[wears].astype(np.float64) @ normal_matrix(item.to_world)[:3, :3].T
    length = np.linalg.norm(normal, axis=1).clip(1e-20)
    assert triangles.uv is not None
    return triangles.uv[wears], position[:, 2] + item.to_world[2, 3], normal[:, 2] / length


def _white(value: npt.NDArray[np.float32], where: Range) -> Bytes:
    """Smoothly from black to white at both ends; ends at 0 and 1 have no edge."""
    soft = max(where.soft, 1e-6)
    rise = 1.0 if where.low <= 0 else np.clip((value - where.low) / soft, 0, 1)
    fall = 1.0 if where.high >= 1 else np.clip((where.high - value) / soft, 0, 1)
    part = np.nan_to_num(np.minimum(rise, fall) * np.ones_like(value))
    smooth = part * part * (3 - 2 * part)
    return np.asarray(np.round(smooth * 255), np.uint8)
