"""Colour for texels that no view sees, from the nearest painted surface that faces alike.

In 3D, not in UV: islands that are neighbours in the map may be far apart on the object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Array = npt.NDArray[Any]
_NEIGHBOURS = 16
_TURNING = 0.03  # of the extent: the distance that facing another way counts for
_FACING_APART, _FACING_ALIKE = 0.0, 0.8


@dataclass(frozen=True, slots=True)
class Sources:
    """Painted surface points: position (S, 3), normal (S, 3), color (S, C) float32."""

    position: Array
    normal: Array
    color: Array

    def thinned(self, count: int) -> Sources:
        """Every n-th point, at most `count`."""
        step = max(1, -(-len(self.position) // count))
        return Sources(self.position[::step], self.normal[::step], self.color[::step])

    def joined(self, other: Sources) -> Sources:
        return Sources(
            np.concatenate([self.position, other.position]),
            np.concatenate([self.normal, other.normal]),
            np.concatenate([self.color, other.color]),
        )


def fill(position: Array, normal: Array, sources: Sources, fallback: Array) -> Array:
    """Colours (N, C) float32 for points (N, 3) with normals (N, 3).

    The 16 nearest painted points, where to face another way counts as distance, weighted by
    inverse squared distance and by how alike they face; `fallback` (C,) where there are none.
    """
    if len(sources.position) == 0:
        return np.broadcast_to(fallback, (len(position), len(fallback))).astype(np.float32)
    count = min(_NEIGHBOURS, len(sources.position))
    extent = float(np.ptp(sources.position, axis=0).max())
    tree = cKDTree(_spread(sources.position, sources.normal, extent), balanced_tree=False)
    distance, index = tree.query(_spread(position, normal, extent), k=count)
    distance, index = distance.reshape(len(position), count), index.reshape(len(position), count)
    alike = np.einsum("nkc,nc->nk", sources.normal[index], normal)
    gate = np.clip((alike - _FACING_APART) / (_FACING_ALIKE - _FACING_APART), 0, 1) ** 2
    nearest = distance[:, :1] + 1e-12
    weight = (gate + 1e-6) / (distance / nearest + 0.1) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    color: Array = np.einsum("nk,nkc->nc", weight, sources.color[index]).astype(np.float32)
    return color


def _spread(position: Array, normal: Array, extent: float) -> Array:
    """Points (N, 6) whose distance tells apart both places and directions."""
    return np.concatenate([position, normal * (_TURNING * extent)], axis=1)
