"""Meshes by script, each with one thing that makes projecting hard."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.reception import mesh_from_arrays

Array = npt.NDArray[Any]
Vector = tuple[float, float, float]
_INSET = 0.06  # of a UV cell, left bare on each side


def two_shell_box() -> Mesh:
    """A box without a front, and a smaller box in it that hides much of its inside."""
    outer = _box((0, 0, 0), (2, 2, 2))
    walls = [quad for quad in outer if not _faces(quad, (0, -1, 0))]
    inside = [quad[::-1] for quad in _shrunk(walls, 0.98)]
    return _of_quads([*walls, *inside, *_box((0.1, 0.1, -0.2), (1.2, 1.0, 1.1))])


def thin_fin() -> Mesh:
    """A plate a two-hundredth as thick as it is wide, upright on a block."""
    return _of_quads([*_box((0, 0, 0.1), (2, 1, 0.2)), *_box((0, 0, 0.9), (1.6, 0.01, 1.4))])


def chair() -> Mesh:
    """A seat, a back, four legs: many outlines before other parts of the same thing."""
    quads = [*_box((0, 0, 0.9), (1, 1, 0.12)), *_box((0, 0.44, 1.5), (1, 0.12, 1.1))]
    for x in (-0.42, 0.42):
        for y in (-0.42, 0.42):
            quads += _box((x, y, 0.42), (0.12, 0.12, 0.84))
    return _of_quads(quads)


def room() -> Mesh:
    """A room 4 by 5 by 2.6 m, seen from within, with a table-high block in it."""
    walls = [quad[::-1] for quad in _box((0, 0, 1.3), (4, 5, 2.6))]
    return _of_quads([*walls, *_box((0.8, 1.2, 0.4), (1.2, 0.8, 0.8))])


def fragmented_uv(around: int = 32, across: int = 16) -> Mesh:
    """A globe whose UV map has an island for every single triangle."""
    position = _globe(around, across)
    count = len(position) // 3
    columns = math.ceil(math.sqrt(count))
    cell = np.arange(count)
    low = np.stack([cell % columns, cell // columns], 1)[:, None] + _INSET
    triangle = np.array([[0, 0], [1, 0], [0, 1]]) * (1 - 2 * _INSET)
    uv = ((low + triangle) / columns).reshape(-1, 2)
    return mesh_from_arrays(position, position / np.linalg.norm(position, axis=1)[:, None], uv)


SHAPES: Mapping[str, Callable[[], Mesh]] = {
    "two_shell_box": two_shell_box,
    "thin_fin": thin_fin,
    "fragmented_uv": fragmented_uv,
    "chair": chair,
    "room": room,
}
"""Meshes by name."""


def _box(center: Vector, size: Vector) -> list[Array]:
    """Six quads (4, 3), counter-clockwise seen from outside."""
    quads = []
    for axis in range(3):
        for side in (-1, 1):
            u, v = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
            corners = [side * np.eye(3)[axis] + a * u + b * v for a, b in _turn(side)]
            quads.append(np.array(corners) * np.array(size) / 2 + np.array(center))
    return quads


def _turn(side: int) -> list[tuple[int, int]]:
    ring = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return ring if side > 0 else ring[::-1]


def _faces(quad: Array, direction: Vector) -> bool:
    normal = np.cross(quad[1] - quad[0], quad[2] - quad[0])
    return bool(normal @ np.array(direction) > 0.9 * np.linalg.norm(normal))


def _shrunk(quads: Sequence[Array], scale: float) -> list[Array]:
    return [quad * scale for quad in quads]


def _of_quads(quads: Sequence[Array]) -> Mesh:
    """A flat-shaded mesh of quads, each with a square UV cell of its own."""
    columns = math.ceil(math.sqrt(len(quads)))
    position, uv = list[Array](), list[Array]()
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (1 - 2 * _INSET) + _INSET
    for number, quad in enumerate(quads):
        at = (square + np.array([number % columns, number // columns])) / columns
        for corner in (0, 1, 2, 0, 2, 3):
            position.append(quad[corner])
            uv.append(at[corner])
    points = np.array(position)
    corners = points.reshape(-1, 3, 3)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return mesh_from_arrays(points, np.repeat(normal, 3, axis=0), np.array(uv))


def _globe(around: int, across: int) -> Array:
    """Triangle corners (3L, 3) of a unit sphere of quads, poles of single triangles."""
    a = np.arange(around + 1) / around * 2 * np.pi
    b = np.arange(across + 1) / across * np.pi
    grid = np.stack(
        [
            np.outer(np.cos(a), np.sin(b)),
            np.outer(np.sin(a), np.sin(b)),
            np.outer(np.ones_like(a), np.cos(b)),
        ],
        -1,
    ).round(9)
    grid[-1] = grid[0]
    p, q = grid[:-1, :-1], grid[:-1, 1:]
    r, s = grid[1:, 1:], grid[1:, :-1]
    lower = np.stack([p, q, r], 2)[:, :-1]
    upper = np.stack([p, r, s], 2)[:, 1:]
    return np.concatenate([lower.reshape(-1, 3), upper.reshape(-1, 3)])
