"""How visible seams are: over the UV map's cuts, and where one view's paint meets another's.

Both are ratios of mean colour steps (across a seam / elsewhere), divided by the same ratio of a
reference, the true texture: 1 means that the seams cannot be told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint_daemon.common.meshes.normals import weld

from ..cameras.visibility import sample
from ..surface.atlas import tile_numbers
from ..surface.mesh import Mesh

Array = npt.NDArray[Any]
_ALONG = (0.3, 0.5, 0.7)
_STEP_TEXELS = 1.5
_DEEPEST = 0.2  # of a triangle's height over the edge
_UV_MATCH = 1e-6


@dataclass(frozen=True, slots=True)
class EdgeProbes:
    """Pairs of surface points on the two sides of mesh edges, P pairs. position, (2, P, 3) metres;
    uv (2, P, 2); tile (2, P) UDIM numbers; seam (P,) bool: the UV map is cut there."""

    position: Tensor
    uv: Tensor
    tile: Tensor
    seam: Tensor


def edge_probes(mesh: Mesh, pitch: float) -> EdgeProbes:
    """Probes 1.5 texels (`pitch` metres each) to either side of every edge of two triangles."""
    first, second, corner = _paired_edges(mesh)
    position, uv = list[Tensor](), list[Tensor]()
    surface, flat = mesh.position.reshape(-1, 3, 3), mesh.uv.reshape(-1, 3, 2)
    seam = _cut(flat, first, second, corner)
    for side, face in enumerate((first, second)):
        weights = _probe_weights(surface[face], corner[side], pitch)
        position.append(torch.einsum("apk,pkc->apc", weights, surface[face]).flatten(0, 1))
        uv.append(torch.einsum("apk,pkc->apc", weights, flat[face]).flatten(0, 1))
    numbers = tile_numbers(mesh)
    owner = torch.stack([numbers[face].repeat(len(_ALONG)) for face in (first, second)])
    return EdgeProbes(torch.stack(position), torch.stack(uv), owner, seam.repeat(len(_ALONG)))


def _paired_edges(mesh: Mesh) -> tuple[Tensor, Tensor, Tensor]:
    """Edges that exactly two triangles share: the triangles (E,), (E,), and corner (2, E, 2): the
    numbers 0..2 of the edge's ends in each, in the same order of ends."""
    vertex = weld(mesh.position.cpu().numpy()).reshape(-1, 3)
    corners = np.array([[0, 1], [1, 2], [2, 0]])
    ends = vertex[:, corners].reshape(-1, 2)
    swap = ends[:, 0] > ends[:, 1]
    corner = np.tile(corners, (len(vertex), 1))
    corner = np.where(swap[:, None], corner[:, ::-1], corner)
    key = np.sort(ends, axis=1)
    order = np.lexsort((key[:, 1], key[:, 0]))
    key = key[order]
    same = (key[1:] == key[:-1]).all(1)
    pair = same & ~np.concatenate([[False], same[:-1]]) & ~np.concatenate([same[1:], [False]])
    a, b = order[:-1][pair], order[1:][pair]
    device = mesh.position.device
    both = torch.from_numpy(np.stack([corner[a], corner[b]])).to(device)
    return torch.from_numpy(a // 3).to(device), torch.from_numpy(b // 3).to(device), both


def _cut(flat: Tensor, first: Tensor, second: Tensor, corner: Tensor) -> Tensor:
    """(E,) bool: the ends' UVs differ between the two triangles."""
    a = flat[first[:, None], corner[0]]
    b = flat[second[:, None], corner[1]]
    return (a - b).abs().amax((1, 2)) > _UV_MATCH


def _probe_weights(surface: Tensor, corner: Tensor, pitch: float) -> Tensor:
    """(A, E, 3) barycentric weights of points a fixed way off the edge, A along it."""
    rows = torch.arange(len(surface), device=surface.device)
    a, b = surface[rows, corner[:, 0]], surface[rows, corner[:, 1]]
    apex = 3 - corner.sum(1)
    along = torch.nn.functional.normalize(b - a, dim=1)
    to_apex = surface[rows, apex] - a
    height = (to_apex - (to_apex * along).sum(1, keepdim=True) * along).norm(dim=1)
    inward = (_STEP_TEXELS * pitch / height.clamp(min=1e-12)).clamp(max=_DEEPEST)
    weights = torch.zeros((len(_ALONG), len(surface), 3), device=surface.device)
    for number, t in enumerate(_ALONG):
        weights[number, rows, corner[:, 0]] = (1 - t) * (1 - inward)
        weights[number, rows, corner[:, 1]] = t * (1 - inward)
        weights[number, rows, apex] = inward
    return weights


def probe_colors(probes: EdgeProbes, images: Sequence[tuple[int, Tensor]]) -> Tensor:
    """(2, P, C) bilinear colours of tile images (size, size, C) at the probes."""
    colors = torch.zeros((*probes.tile.shape, images[0][1].shape[2]), device=probes.uv.device)
    for number, image in images:
        here = probes.tile == number
        uv = probes.uv[here]
        uv = uv - uv.floor()
        size = image.shape[0]
        pixel = torch.stack((uv[:, 0], 1 - uv[:, 1]), 1) * size
        ready = image.permute(2, 0, 1)[None].contiguous().to(pixel)
        colors[here] = sample(ready, pixel).T
    return colors


def uv_seam_ratio(probes: EdgeProbes, colors: Tensor, reference: Tensor) -> float:
    """Steps over the map's cuts, relative to the reference colours' (2, P, C). 1 without cuts."""
    if not bool(probes.seam.any()) or bool(probes.seam.all()):
        return 1.0
    return _ratio(_steps(colors), probes.seam) / _ratio(_steps(reference), probes.seam)


def _steps(colors: Tensor) -> Tensor:
    return (colors[0] - colors[1]).abs().mean(-1)


def _ratio(steps: Tensor, seam: Tensor) -> float:
    elsewhere = float(steps[~seam].double().mean())
    return float(steps[seam].double().mean()) / elsewhere if elsewhere > 0 else math.nan


def view_seam_ratio(color: Tensor, reference: Tensor, view: Tensor) -> float:
    """Steps between neighbouring texels won by different views, relative to the reference's.

    color, reference (size, size, C) of one tile; view (size, size) int: -1 = none. 1 where no two
    views meet.
    """
    steps, true, differs = list[Tensor](), list[Tensor](), list[Tensor]()
    for axis in (0, 1):
        count = view.shape[axis] - 1
        a, b = view.narrow(axis, 0, count), view.narrow(axis, 1, count)
        both = (a >= 0) & (b >= 0)
        differs.append((a != b)[both])
        for image, found in ((color, steps), (reference, true)):
            step = image.narrow(axis, 0, count) - image.narrow(axis, 1, count)
            found.append(step.abs().mean(-1)[both])
    seam = torch.cat(differs)
    if not bool(seam.any()) or bool(seam.all()):
        return 1.0
    return _ratio(torch.cat(steps), seam) / _ratio(torch.cat(true), seam)
