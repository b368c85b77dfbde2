"""`underpaint eval sync MESH`: does averaging views over the surface leave agreement alone, make
disagreement small, keep detail, and keep objects apart? No weights are needed.

Views are renders of a known field: smooth waves in space, twelve latent pixels long, so that all
views agree exactly. What the operator changes in them is its own error. Disagreement is made by
adding independent noise to every view.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from underpaint.cli.terminal.parser import Parser
from underpaint.measures import Report, at_least, at_most
from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.render import ViewBuffers, render_view
from underpaint_daemon.worker.texturing.cameras.rig import automatic_rig
from underpaint_daemon.worker.texturing.surface.mesh import Mesh, is_inside_out
from underpaint_daemon.worker.texturing.views.correspondence import Correspondence
from underpaint_daemon.worker.texturing.views.noise import SurfaceNoise
from underpaint_daemon.worker.texturing.views.variance import align_variance, spread

from .meshes import load_mesh
from .solid import Solid

_CHANNELS = 4
_WAVES = 6
_WAVELENGTH_CELLS = 12.0
_NOISE = 0.5
_NOISE_DRAWS = 8
_FILL = 0.8
_ADD_SEED = 100


def main(argv: list[str] | None = None) -> int:
    """Measure one mesh; exit code 0 when all bars hold, 3 when not, 2 for a bad file."""
    parser = Parser(prog="underpaint eval sync", description=__doc__)
    parser.add_argument("mesh", type=Path, help="an .obj or .ply file")
    parser.add_argument("--cells", type=int, default=96, help="latent pixels a side of each view")
    parser.add_argument("--views", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(argv)
    report = evaluate(load_mesh(args.mesh), args.cells, args.views, args.seed)
    print(report.to_json() if args.json else report.to_text())
    return report.exit_code


def evaluate(mesh: Mesh, cells: int = 96, count: int = 10, seed: int = 0) -> Report:
    """The report on one mesh; bars as in the method's notes, for 96 cells and 10 views."""
    views = ring_views(mesh, cells, count)
    began = time.perf_counter()
    operator = Correspondence.build(views)
    build_ms = 1000 * (time.perf_counter() - began)
    sharp = _measure(operator, views, _field(mesh, cells, seed), 4.0, seed)
    soft = _measure(operator, views, _field(mesh, cells, seed), 1.0, seed)
    noise = _noise_measures(views, seed)
    measures = {
        "views": float(len(views)),
        "cells": float(cells),
        "shared_pixel_fraction": float(operator.shared.sum() / _surface(views)),
        "sync_identity_db": sharp.identity_db,
        "sync_identity_a1_db": soft.identity_db,
        "overlap_rmse_cut_ratio": sharp.cut,
        "overlap_rmse_cut_a1_ratio": soft.cut,
        "variance_kept_ratio": sharp.kept,
        "variance_kept_a1_ratio": soft.kept,
        "variance_aligned_ratio": sharp.aligned,
        "objects_mixed_fraction": _mixed_fraction(mesh, cells, count),
        **noise,
        "build_ms": build_ms,
        "apply_ms": sharp.apply_ms,
    }
    bars = [
        at_least("sync_identity_db", sharp.identity_db, 28.0),
        at_least("overlap_rmse_cut_ratio", sharp.cut, 2.5),
        at_least("overlap_rmse_cut_a1_ratio", soft.cut, 3.4),
        at_least("variance_kept_ratio", sharp.kept, 0.95),
        at_least("variance_aligned_ratio", sharp.aligned, 0.98),
        at_most("variance_aligned_ratio", sharp.aligned, 1.02),
        at_most("objects_mixed_fraction", measures["objects_mixed_fraction"], 0.0),
        at_most("noise_mean_abs", noise["noise_mean_abs"], 0.02),
        at_most("noise_variance_error", noise["noise_variance_error"], 0.03),
        at_most("noise_lag1_abs", noise["noise_lag1_abs"], 0.02),
        at_least("noise_shared_fraction", noise["noise_shared_fraction"], 0.5),
    ]
    return Report("eval sync", seed, measures, bars)


def ring_views(mesh: Mesh, cells: int, count: int) -> list[ViewBuffers]:
    """A ring at the object's height and two raised views (SyncMVD's rig for ten); the automatic
    rig inside a room."""
    if is_inside_out(mesh):
        rig = automatic_rig(mesh, count, cells)
    else:
        raised = [Direction(0.0, 30.0), Direction(180.0, 30.0)][: max(0, count - 2)]
        ring = count - len(raised)
        around = [Direction(360.0 * i / ring, 0.0) for i in range(ring)]
        rig = [place(mesh, direction, cells) for direction in around + raised]
    return [render_view(mesh, view.camera) for view in rig]


@dataclass(frozen=True, slots=True)
class _Measured:
    identity_db: float
    cut: float
    kept: float
    aligned: float
    apply_ms: float


def _field(mesh: Mesh, cells: int, seed: int) -> Solid:
    """Waves in space, as long as twelve cells of a view that the object fills by 80 %."""
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn((_CHANNELS, _WAVES, 3), generator=generator)
    direction /= direction.norm(dim=-1, keepdim=True)
    length = _WAVELENGTH_CELLS * 2 * mesh.radius / (_FILL * cells)
    phase = torch.rand((_CHANNELS, _WAVES), generator=generator) * 2 * math.pi
    return Solid(direction * (2 * math.pi / length), phase)


def _measure(
    operator: Correspondence,
    views: Sequence[ViewBuffers],
    solid: Solid,
    exponent: float,
    seed: int,
) -> _Measured:
    truth = [_seen(solid, view) for view in views]
    began = time.perf_counter()
    mixed = operator.apply(truth, exponent)
    elapsed = 1000 * (time.perf_counter() - began)
    before, after = (_rows(images)[operator.shared] for images in (truth, mixed))
    power = (before - before.mean(0)).square().mean()
    identity = 10 * torch.log10(power / (before - after).square().mean().clamp(min=1e-20))
    noisy = _with_noise(truth, seed + _ADD_SEED)
    synced = operator.apply(noisy, exponent)
    cut = disagreement(operator, noisy) / max(disagreement(operator, synced), 1e-12)
    aligned = [align_variance(m, t, v.mask) for m, t, v in zip(synced, noisy, views, strict=True)]
    return _Measured(
        float(identity),
        cut,
        float((after.var(0) / before.var(0)).mean()),
        _spread_ratio(aligned, noisy, views),
        elapsed,
    )


def _seen(solid: Solid, view: ViewBuffers) -> Tensor:
    """The field as a view sees it (1, C, h, w); zeros behind the object."""
    angle = torch.einsum("hwi,cki->ckhw", view.position, solid.wave)
    waves = (angle + solid.phase[..., None, None]).sin().sum(1) / math.sqrt(_WAVES / 2)
    return torch.where(view.mask, waves, 0.0)[None]


def _rows(images: Sequence[Tensor]) -> Tensor:
    return torch.cat([image[0].flatten(1).T for image in images])


def _with_noise(images: Sequence[Tensor], seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        image + _NOISE * torch.randn(image.shape, generator=generator).to(image) for image in images
    ]


def disagreement(operator: Correspondence, images: Sequence[Tensor]) -> float:
    """RMSE between what views show of the same spots, over all pairs that overlap."""
    flat = _rows(images)
    across = operator.across
    theirs = (flat[operator.column[across]] * operator.tap[across][..., None]).sum(1)
    return float((flat[operator.row[across]] - theirs).square().mean().sqrt())


def _spread_ratio(
    images: Sequence[Tensor], others: Sequence[Tensor], views: Sequence[ViewBuffers]
) -> float:
    """Mean ratio of the variances of two sets of views over the surface."""
    ratios = [
        (spread(a, v.mask) / spread(b, v.mask)).square().mean()
        for a, b, v in zip(images, others, views, strict=True)
        if int(v.mask.sum()) > 1
    ]
    return float(torch.stack(ratios).mean())


def _mixed_fraction(mesh: Mesh, cells: int, count: int) -> float:
    """The mesh cut into two objects, one painted 0 and one 1: pixels that are neither after."""
    middle = mesh.position.reshape(-1, 3, 3).mean(1)[:, 0] > mesh.center[0]
    ids = mesh.ids.clone()
    ids[:, 0] = 1 + middle.repeat_interleave(3)
    views = ring_views(replace(mesh, ids=ids), cells, count)
    painted = [(view.object_id == 2).float()[None, None] for view in views]
    mixed = Correspondence.build(views).apply(painted, 4.0)
    changed = sum(int(((a - b).abs() > 1e-5).sum()) for a, b in zip(mixed, painted, strict=True))
    return changed / max(1, _surface(views))


def _surface(views: Sequence[ViewBuffers]) -> int:
    return sum(int(view.mask.sum()) for view in views)


def _noise_measures(views: Sequence[ViewBuffers], seed: int) -> dict[str, float]:
    """Whiteness of the surface noise within views, over several draws, and how much is shared."""
    noise = SurfaceNoise.build(views)
    draws = [noise.draw(seed + i, _CHANNELS) for i in range(_NOISE_DRAWS)]
    means, variances, lags, shared = [], [], [], []
    for number, view in enumerate(views):
        inside = torch.stack([draw[number][0] for draw in draws])
        values = inside[..., view.mask.cpu()]
        means.append(float(values.mean().abs()))
        variances.append(abs(float(values.var()) - 1))
        lags.append(max(_lag(inside, view.mask.cpu(), axis) for axis in (0, 1)))
        shared.append(noise.shared_fraction(number) * noise.owned_fraction(number, view.mask))
    return {
        "noise_mean_abs": max(means),
        "noise_variance_error": max(variances),
        "noise_lag1_abs": max(lags),
        "noise_shared_fraction": sum(shared) / len(shared),
    }


def _lag(images: Tensor, mask: Tensor, axis: int) -> float:
    """The correlation of neighbouring surface pixels along an axis; images (..., h, w)."""
    count = mask.shape[axis] - 1
    both = mask.narrow(axis, 0, count) & mask.narrow(axis, 1, count)
    dim = images.ndim - 2 + axis
    product = images.narrow(dim, 0, count) * images.narrow(dim, 1, count)
    return abs(float(product[..., both].mean()))
