"""A smooth colour over bare surface: each place the mean of its surroundings, rims held fixed.

The bare part is thinned to nodes; between neighbouring nodes, and from nodes to the painted points
nearest to them, springs that are stiffer where points are closer and face alike. At rest (Laplace's
equation, by conjugate gradients) the colour has no step of its own anywhere, so that a cut of the
UV map shows in it no more than any other place. Sums run in one order whatever the thread count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

Array = npt.NDArray[Any]
_LINKS = 8
_ANCHORS = 4
_BLEND = 10
_FACING_APART, _FACING_ALIKE = 0.0, 0.8
_LEAST_LINK = 1e-3
_STEPS = 300
_ACCURACY = 1e-4
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Membrane:
    """Nodes of a bare part: tree over their places, color (M, C), spacing: between neighbours."""

    tree: cKDTree
    color: Array
    spacing: float

    def __call__(self, place: Array, workers: int) -> Array:
        """Colours (N, C) at places (N, K): nearby nodes, whose weight ends smoothly."""
        count = min(_BLEND, len(self.color))
        if count < 2:
            return np.broadcast_to(self.color[0], (len(place), self.color.shape[1]))
        distance, index = self.tree.query(place, k=count, workers=workers)
        reach = distance[:, -1:] + 1e-30
        weight = ((reach - distance) / (reach * (distance + 0.05 * reach))) ** 2
        weight[:, 0] += 1e-12 / reach[:, 0] ** 2
        weight /= weight.sum(axis=1, keepdims=True)
        blended: Array = np.einsum("nk,nkc->nc", weight, self.color[index])
        return blended


def thinned_evenly(count: int, wanted: int) -> Array:
    """At most `wanted` of the row numbers 0..count - 1, spread evenly and without a pattern."""
    if count <= wanted:
        return np.arange(count)
    turn = (np.arange(wanted) * _GOLDEN) % 1.0
    return np.unique((turn * count).astype(np.int64))


def stretch(
    place: Array, normal: Array, painted: cKDTree, painted_normal: Array, color: Array, workers: int
) -> Membrane:
    """The membrane over nodes at places (M, K) with normals (M, 3), held by painted points of
    color (S, C) at least one."""
    tree = cKDTree(place, balanced_tree=False)
    count = len(place)
    near, node = tree.query(place, k=min(_LINKS + 1, count), workers=workers)
    near, node = near.reshape(count, -1)[:, 1:], node.reshape(count, -1)[:, 1:]
    far, anchor = painted.query(place, k=min(_ANCHORS, len(color)), workers=workers)
    far, anchor = far.reshape(count, -1), anchor.reshape(count, -1)
    spacing = float(np.median(near[:, :1])) if node.shape[1] else 1.0
    soft = (0.3 * spacing) ** 2 + 1e-30
    links = _alike(normal[:, None], normal[node]) / (near**2 + soft)
    holds = _alike(normal[:, None], painted_normal[anchor]) / (far**2 + soft)
    rows = np.repeat(np.arange(count), node.shape[1])
    pull = csr_array((links.reshape(-1), (rows, node.reshape(-1))), shape=(count, count))
    pull = csr_array(pull + pull.T)
    held = np.einsum("nk,nkc->nc", holds, color[anchor])
    stiffness = np.asarray(pull.sum(axis=1)).reshape(-1) + holds.sum(axis=1)
    start = held / holds.sum(axis=1, keepdims=True)
    return Membrane(tree, _at_rest(pull, stiffness, held, start), spacing)


def _alike(a: Array, b: Array) -> Array:
    """How alike normals (..., 3) face, from almost 0 to 1."""
    cosine = (a * b).sum(axis=-1)
    gate = np.clip((cosine - _FACING_APART) / (_FACING_ALIKE - _FACING_APART), 0, 1)
    result: Array = gate**2 + _LEAST_LINK
    return result


def _at_rest(pull: Any, stiffness: Array, held: Array, start: Array) -> Array:
    """Solve (diag(stiffness) - pull) x = held for all channels (M, C) at once."""
    color = start
    residual = held - (stiffness[:, None] * color - pull @ color)
    ahead = residual / stiffness[:, None]
    direction, energy = ahead, _inner(residual, ahead)
    enough = _ACCURACY**2 * np.maximum(_inner(held, held / stiffness[:, None]), 1e-30)
    for _ in range(_STEPS):
        if (energy <= enough).all():
            break
        bent = stiffness[:, None] * direction - pull @ direction
        step = energy / np.maximum(_inner(direction, bent), 1e-300)
        color = color + step * direction
        residual = residual - step * bent
        ahead = residual / stiffness[:, None]
        before, energy = energy, _inner(residual, ahead)
        direction = ahead + energy / np.maximum(before, 1e-300) * direction
    return color


def _inner(a: Array, b: Array) -> Array:
    """(C,) products summed over rows, in one order on every machine and thread count."""
    result: Array = (a * b).sum(axis=0)
    return result
