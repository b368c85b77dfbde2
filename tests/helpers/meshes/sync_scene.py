"""A torus, seen from a ring of cameras, and what the tests of synchronisation share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.render import ViewBuffers, render_view
from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.reception import mesh_from_arrays
from underpaint_daemon.worker.texturing.views.correspondence import Correspondence


def torus(around: int = 48, across: int = 24) -> Mesh:
    """A torus of radii 1 m and 0.4 m, tilted; its UV map is the unit square."""
    u, v = np.meshgrid(np.arange(around + 1), np.arange(across + 1), indexing="ij")
    a, b = u / around * 2 * math.pi, v / across * 2 * math.pi
    ring = 1 + 0.4 * np.cos(b)
    points = np.stack([ring * np.cos(a), 0.4 * np.sin(b), ring * np.sin(a)], -1)
    uv = np.stack([u / around, v / across], -1) * 0.98 + 0.01
    quads = [(0, 0), (0, 1), (1, 1), (0, 0), (1, 1), (1, 0)]

    def corners(grid: np.ndarray) -> np.ndarray:
        parts = [grid[i : i + around, j : j + across] for i, j in quads]
        return np.stack(parts, 2).reshape(-1, grid.shape[-1]).astype(np.float32)

    return mesh_from_arrays(corners(points), None, corners(uv))


def two_objects(mesh: Mesh) -> Mesh:
    """The same mesh, its right half another object."""
    right = mesh.position.reshape(-1, 3, 3).mean(1)[:, 0] > 0
    ids = mesh.ids.clone()
    ids[:, 0] = 1 + right.repeat_interleave(3)
    return replace(mesh, ids=ids)


def on_two_tiles(mesh: Mesh) -> Mesh:
    """The same mesh twice, 6 m apart; the second on UDIM tile 1002."""
    beside, tile = torch.tensor([6.0, 0.0, 0.0]), torch.tensor([1.0, 0.0])
    return Mesh(
        torch.cat((mesh.position, mesh.position + beside)),
        torch.cat((mesh.normal, mesh.normal)),
        torch.cat((mesh.uv, mesh.uv + tile)),
        torch.cat((mesh.ids, mesh.ids)),
    )


def views_of(mesh: Mesh, cells: int = 48, azimuths: Sequence[float] = ()) -> list[ViewBuffers]:
    """Views of (cells, cells) pixels; by default six around, a little from above."""
    chosen = azimuths or [60.0 * i for i in range(6)]
    return [render_view(mesh, place(mesh, Direction(a, 20.0), cells).camera) for a in chosen]


def truth_of(views: Sequence[ViewBuffers], channels: int = 4) -> list[Tensor]:
    """Smooth colours fixed to the surface, (1, C, h, w), zero on the background."""
    rate = torch.tensor([[2.0, 0.5, 1.0], [-1.0, 2.0, 0.3], [0.4, -1.5, 2.2], [1.2, 1.0, -1.6]])
    return [
        torch.where(v.mask, (v.position @ rate[:channels].T).sin().permute(2, 0, 1), 0.0)[None]
        for v in views
    ]


def disagreement(operator: Correspondence, images: Sequence[Tensor]) -> float:
    """RMSE between what views show of the same spots."""
    flat = torch.cat([image[0].flatten(1).T for image in images])
    across = operator.across
    theirs = (flat[operator.column[across]] * operator.tap[across][..., None]).sum(1)
    return float((flat[operator.row[across]] - theirs).square().mean().sqrt())
