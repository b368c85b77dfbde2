"""Which way surface points face once creases are smoothed over.

Two points beside a crease face apart though they are neighbours; two on either side of a thin
plate face apart and are none. Normals averaged at the vertices tell these cases apart: over a
crease they run on, through a plate they still oppose.
"""

from __future__ import annotations

import torch
from torch import Tensor

from underpaint_daemon.common.meshes.corners import smooth_normals

from .mesh import Mesh

_AT_ONCE = 1 << 19


class Directions:
    """Smoothed directions of one mesh; computed from its shape, whatever its own normals are."""

    def __init__(self, mesh: Mesh) -> None:
        smooth = torch.from_numpy(smooth_normals(mesh.position.cpu().numpy()))
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
