"""Which way surface points face once creases are smoothed over.

Two points beside a crease face apart though they are neighbours; two on either side of a thin
plate face apart and are none. Normals averaged at the vertices tell these cases apart: over a
crease they run on, through a plate they still oppose. So do they averaged over neighbouring
vertices, as they are where a scan's roughness would turn them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint_daemon.common.meshes.normals import smooth_normals, weld

from .mesh import Mesh
from .neighbours import drawn_together

Array = npt.NDArray[Any]
_AT_ONCE = 1 << 19
# Over so much of the extent directions are evened, where triangles are smaller: the roughness of a
# scan is no turning of its surface.
_EVEN, _MOST_ROUNDS, _DRAWN = 0.03, 8, 0.5


class Directions:
    """Smoothed directions of one mesh; computed from its shape, whatever its own normals are."""

    def __init__(self, mesh: Mesh) -> None:
        smooth = torch.from_numpy(_smooth(mesh.position.cpu().numpy()))
        self._corner = mesh.position.reshape(-1, 3, 3)
        self._normal = smooth.to(mesh.position.device).reshape(-1, 3, 3)

    def at(self, triangle: Tensor, position: Tensor) -> Tensor:
        """(N, 3) float32 unit, at points (N, 3) on (or just beside) triangles (N,)."""
        if not len(triangle):
            return torch.zeros_like(position)
        parts = zip(torch.split(triangle, _AT_ONCE), torch.split(position, _AT_ONCE), strict=True)
        return torch.cat([self._at(*part) for part in parts])

    def _at(self, triangle: Tensor, position: Tensor) -> Tensor:
        a, b, c = self._corner[triangle].unbind(1)
        u, v, p = b - a, c - a, position - a
        uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
        pu, pv = (p * u).sum(1), (p * v).sum(1)
        det = uu * vv - uv * uv
        det = torch.where(det > 0, det, torch.inf)
        beta, gamma = (vv * pu - uv * pv) / det, (uu * pv - uv * pu) / det
        weight = torch.stack((1 - beta - gamma, beta, gamma), 1).clamp(0, 1)
        blended = torch.einsum("nk,nkc->nc", weight, self._normal[triangle])
        return torch.nn.functional.normalize(blended, dim=1)


def _smooth(position: Array) -> Array:
    """Vertex normals (3L, 3) float32 of triangle corners, evened where triangles are small."""
    normal, vertex = smooth_normals(position), weld(position)
    side = np.linalg.norm(position[1::3] - position[::3], axis=1)
    extent = float(np.ptp(position, axis=0).max())
    rounds = min(_MOST_ROUNDS, int((_EVEN * extent / max(float(np.median(side)), 1e-30)) ** 2))
    if rounds == 0:
        return normal
    first = np.zeros(int(vertex.max()) + 1, np.int64)
    first[vertex] = np.arange(len(vertex))
    even = drawn_together(normal[first], vertex.reshape(-1, 3), rounds, _DRAWN)
    return np.asarray(even[vertex], dtype=np.float32)
