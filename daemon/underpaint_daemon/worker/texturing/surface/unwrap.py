"""A simple UV map for meshes that have none: charts by direction, packed on shelves.

Triangles that face the same axis direction and share an edge make a chart, laid out flat along
that axis (no triangle is foreshortened by more than 1/√3). Charts that would cover themselves are
split into single triangles. It is no artist's unwrap; it is complete and free of overlaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from .mesh import Mesh, face_cross, weld
from .raster import rasterize

Array = npt.NDArray[Any]
_MARGIN = 3.0 / 1024
_CHECK_SIDE = 1024


@dataclass(frozen=True, slots=True)
class _Charts:
    """chart (L,) int64 numbers from 0; flat (L, 3, 2) float64 metres in each chart's plane."""

    chart: Array
    flat: Array

    @property
    def count(self) -> int:
        return int(self.chart.max()) + 1


def unwrap(mesh: Mesh) -> Tensor:
    """UVs (3L, 2) float32 in [0, 1]² without overlaps, on the mesh's device."""
    side = _dominant_side(mesh)
    flat = _flattened(mesh, side)
    charts = _Charts(_connected(mesh, side), flat)
    uv, charts = _laid_out(charts)
    folded = _covered_twice(uv, charts)
    if folded.any():
        uv, _ = _laid_out(_shattered(charts, folded))
    return torch.from_numpy(uv.reshape(-1, 2).astype(np.float32)).to(mesh.position.device)


def _dominant_side(mesh: Mesh) -> Array:
    """(L,) 0..5: +X -X +Y -Y +Z -Z, whichever each triangle faces most."""
    cross = face_cross(mesh).cpu().numpy()
    axis = np.abs(cross).argmax(axis=1)
    return np.asarray(axis * 2 + (np.take_along_axis(cross, axis[:, None], 1)[:, 0] < 0))


def _flattened(mesh: Mesh, side: Array) -> Array:
    """(L, 3, 2): each triangle dropped along its side's axis, never mirrored."""
    corners = mesh.position.double().cpu().numpy().reshape(-1, 3, 3)
    columns = np.array([[1, 2], [2, 1], [2, 0], [0, 2], [0, 1], [1, 0]])[side]
    return np.take_along_axis(corners, np.repeat(columns[:, None], 3, axis=1), axis=2)


def _connected(mesh: Mesh, side: Array) -> Array:
    """Chart numbers: triangles of one side that share an edge."""
    points = mesh.position.cpu().numpy()
    corner = weld(points).reshape(-1, 3)
    edges = np.sort(np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [2, 0]]]), 1)
    owner = np.tile(np.arange(len(corner)), 3)
    order = np.lexsort((edges[:, 1], edges[:, 0], side[owner]))
    edges, owner = edges[order], owner[order]
    same = (edges[1:] == edges[:-1]).all(1) & (side[owner[1:]] == side[owner[:-1]])
    a, b = owner[:-1][same], owner[1:][same]
    graph = coo_matrix((np.ones(len(a), bool), (a, b)), shape=(len(corner), len(corner)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _shattered(charts: _Charts, folded: Array) -> _Charts:
    """Every triangle of a folded chart becomes a chart of its own."""
    alone = folded[charts.chart]
    label = np.where(alone, charts.count + np.arange(len(charts.chart)), charts.chart)
    return _Charts(np.unique(label, return_inverse=True)[1].reshape(-1), charts.flat)


def _laid_out(charts: _Charts) -> tuple[Array, _Charts]:
    """UVs (L, 3, 2) of the charts packed into the unit square at one scale."""
    low = np.full((charts.count, 2), np.inf)
    high = np.full((charts.count, 2), -np.inf)
    np.minimum.at(low, charts.chart, charts.flat.min(axis=1))
    np.maximum.at(high, charts.chart, charts.flat.max(axis=1))
    extent = high - low
    margin = min(_MARGIN, 0.25 / np.sqrt(charts.count))
    scale = _largest_scale(extent, margin)
    origin, _ = _shelves(extent * scale + 2 * margin)
    uv = (charts.flat - low[charts.chart][:, None]) * scale
    return uv + (origin + margin)[charts.chart][:, None], charts


def _largest_scale(extent: Array, margin: float) -> float:
    """The largest scale at which the charts fit (bisection; the shelves decide)."""
    low, high = 0.0, 1.0 / float(extent.max())
    for _ in range(24):
        middle = (low + high) / 2
        _, height = _shelves(extent * middle + 2 * margin)
        fits = height <= 1 and bool((extent.max(0) * middle + 2 * margin <= 1).all())
        low, high = (middle, high) if fits else (low, middle)
    return low


def _shelves(size: Array) -> tuple[Array, float]:
    """Lower-left corners (n, 2) of boxes in rows of unit width, tallest first; total height."""
    order = np.argsort(-size[:, 1], kind="stable")
    ends = np.cumsum(size[order, 0])
    origin = np.zeros_like(size)
    start, top = 0, 0.0
    while start < len(order):
        before = ends[start - 1] if start else 0.0
        stop = max(start + 1, int(np.searchsorted(ends, before + 1.0, side="right")))
        row = order[start:stop]
        origin[row, 0] = ends[start:stop] - size[row, 0] - before
        origin[row, 1] = top
        top += float(size[row[0], 1])
        start = stop
        if top > 4:  # hopeless at this scale
            break
    return origin, top


def _covered_twice(uv: Array, charts: _Charts) -> Array:
    """(charts,) bool: charts in which two triangles cover a texel at clearly different places."""
    tall = np.concatenate(
        [uv * 2 - 1, np.zeros((*uv.shape[:2], 1)), np.ones((*uv.shape[:2], 1))], 2
    )
    clip = torch.from_numpy(tall.reshape(-1, 4))
    faces = torch.arange(len(clip)).reshape(-1, 3)
    first = rasterize(clip, faces, (_CHECK_SIDE, _CHECK_SIDE)).triangle.numpy()
    last = rasterize(clip, faces.flip(0), (_CHECK_SIDE, _CHECK_SIDE)).triangle.numpy()
    last = np.where(last >= 0, len(faces) - 1 - last, -1)
    differ = (first != last) & (first >= 0)
    a, b = first[differ], last[differ]
    inside = _well_inside(uv, a, differ) & _well_inside(uv, b, differ)
    folded = np.zeros(charts.count, bool)
    folded[charts.chart[a[inside]]] = True
    return folded


def _well_inside(uv: Array, triangle: Array, where: Array) -> Array:
    """Whether the texel centres of `where` lie inside, not on the rim of, their triangles."""
    row, column = np.nonzero(where)
    at = np.stack([(column + 0.5) / _CHECK_SIDE, 1 - (row + 0.5) / _CHECK_SIDE], 1)
    corners = uv[triangle]
    ahead = np.roll(corners, -1, axis=1)
    edge, rel = ahead - corners, at[:, None] - corners
    cross = edge[..., 0] * rel[..., 1] - edge[..., 1] * rel[..., 0]
    distance = cross / np.maximum(np.linalg.norm(edge, axis=2), 1e-30)
    return np.asarray((distance > 1e-2 / _CHECK_SIDE).all(axis=1))
