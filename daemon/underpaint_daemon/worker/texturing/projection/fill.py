"""Colour for texels that no view sees, from the painted surface about them that faces alike.

In 3D, not in UV: islands that are neighbours in the map may be far apart on the object. Near the
rim of a bare part its texels continue the paint beside them, by the plane that fits it best (moving
least squares, Lancaster and Salkauskas 1981); deeper in they pass to a membrane stretched between
the rims (`membrane`), which has no steps of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import cKDTree

from ..surface.membrane import Membrane, stretch, thinned_evenly

Array = npt.NDArray[Any]
_NEIGHBOURS = 16
_RIDGE = 0.01  # of the weights: what keeps a slope that few neighbours tell of from running away
_RIM = 4.0  # of the paint's own spacing: how far the paint beside is continued, at least
_PROBES = 2_000
_NODES = 16_000
_ANCHORS = 60_000
_AT_ONCE = 1 << 18
_TURNING = 0.03  # of the extent: the distance that facing another way counts for
_FACING_APART, _FACING_ALIKE = 0.0, 0.8


@dataclass(frozen=True, slots=True)
class Sources:
    """Painted surface points: position (S, 3), normal (S, 3), color (S, C) float32."""

    position: Array
    normal: Array
    color: Array

    def thinned(self, count: int) -> Sources:
        """Points spread evenly over the rows, at most `count`."""
        rows = thinned_evenly(len(self.position), count)
        return Sources(self.position[rows], self.normal[rows], self.color[rows])

    def joined(self, other: Sources) -> Sources:
        return Sources(
            np.concatenate([self.position, other.position]),
            np.concatenate([self.normal, other.normal]),
            np.concatenate([self.color, other.color]),
        )


@dataclass(frozen=True, slots=True)
class _Paint:
    """Sources with a tree over their places (see `_places`), the extent that places mean, and how
    far sources are from the next."""

    sources: Sources
    tree: cKDTree
    extent: float
    spacing: float

    @classmethod
    def of(cls, sources: Sources) -> _Paint:
        extent = max(float(np.ptp(sources.position, axis=0).max()), 1e-12)
        places = _places(sources.position, sources.normal, extent)
        tree = cKDTree(places, balanced_tree=False)
        probes = places[thinned_evenly(len(places), _PROBES)]
        apart = tree.query(probes, k=min(4, len(places)))[0].reshape(len(probes), -1)
        return cls(sources, tree, extent, float(np.median(apart[:, -1])))


def fill(position: Array, normal: Array, sources: Sources, fallback: Array) -> Array:
    """Colours (N, C) float32 for points (N, 3) with normals (N, 3).

    To face another way counts as distance; `fallback` (C,) where nothing is painted. The same for
    any thread count.
    """
    if len(sources.position) == 0:
        return np.broadcast_to(fallback, (len(position), len(fallback))).astype(np.float32)
    workers = max(1, torch.get_num_threads())
    paint = _Paint.of(sources)
    membrane = _membrane(position, normal, paint, workers)
    color = np.empty((len(position), sources.color.shape[1]), np.float32)
    for at in range(0, len(position), _AT_ONCE):
        part = slice(at, at + _AT_ONCE)
        color[part] = _filled(position[part], normal[part], paint, membrane, workers)
    return color


def _membrane(position: Array, normal: Array, paint: _Paint, workers: int) -> Membrane:
    rows = thinned_evenly(len(position), _NODES)
    held = _Paint.of(paint.sources.thinned(_ANCHORS))
    places = _places(position[rows], normal[rows], paint.extent)
    anchors = cKDTree(
        _places(held.sources.position, held.sources.normal, paint.extent), balanced_tree=False
    )
    return stretch(places, normal[rows], anchors, held.sources.normal, held.sources.color, workers)


def _filled(
    position: Array, normal: Array, paint: _Paint, membrane: Membrane, workers: int
) -> Array:
    """Paint near the rim, the membrane farther in: (n, C)."""
    place = _places(position, normal, paint.extent)
    count = min(_NEIGHBOURS, len(paint.sources.position))
    distance, index = paint.tree.query(place, k=count, workers=workers)
    distance, index = distance.reshape(len(place), count), index.reshape(len(place), count)
    alike = np.einsum("nkc,nc->nk", paint.sources.normal[index], normal)
    gate = np.clip((alike - _FACING_APART) / (_FACING_ALIKE - _FACING_APART), 0, 1) ** 2
    weight = (gate + 1e-6) / (distance / (distance[:, -1:] + 1e-12) + 0.1) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    apart = (paint.sources.position[index] - position[:, None]) / (distance[:, -1:, None] + 1e-12)
    rim = _continued(apart, weight, paint.sources.color[index])
    reach = max(membrane.spacing, _RIM * paint.spacing, 1e-12)
    depth = np.clip(distance[:, :1] / reach, 0, 1)
    share = depth * depth * (3 - 2 * depth)
    result: Array = rim + share * (membrane(place, workers) - rim)
    return result


def _continued(apart: Array, weight: Array, color: Array) -> Array:
    """Colours (N, C) at the origin of neighbours (N, K, 3) with weights (N, K) that sum to 1 and
    colours (N, K, C): of the linear function that fits them best, within what they hold."""
    terms = np.concatenate([np.ones_like(apart[..., :1]), apart], axis=2)
    weighed = (weight[..., None] * terms).transpose(0, 2, 1)
    square = weighed @ terms + np.diag([0.0, _RIDGE, _RIDGE, _RIDGE])
    found = np.linalg.solve(square, weighed @ color)[:, 0]
    return np.asarray(np.clip(found, color.min(axis=1), color.max(axis=1)))


def _places(position: Array, normal: Array, extent: float) -> Array:
    """Points (N, 6) whose distance tells apart both places and directions."""
    return np.concatenate([position, normal * (_TURNING * extent)], axis=1)
