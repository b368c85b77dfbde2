"""The measures of `eval projection` (definitions: docs of each function)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from underpaint.cameras import Camera
from underpaint_daemon.worker.texturing.cameras.coverage import all_around
from underpaint_daemon.worker.texturing.cameras.render import render_view
from underpaint_daemon.worker.texturing.cameras.rig import GREEDY, automatic_rig
from underpaint_daemon.worker.texturing.cameras.visibility import ViewGeometry, look
from underpaint_daemon.worker.texturing.projection.gather import PaintedView, graded
from underpaint_daemon.worker.texturing.projection.gutter import dilate
from underpaint_daemon.worker.texturing.projection.project import (
    Options,
    Texture,
    project,
)
from underpaint_daemon.worker.texturing.projection.seams import (
    edge_probes,
    probe_colors,
    uv_seam_ratio,
    view_seam_ratio,
)
from underpaint_daemon.worker.texturing.projection.tiers import BESIDE, EXACT, GENERATED, UNSEEN
from underpaint_daemon.worker.texturing.surface.atlas import AtlasTile
from underpaint_daemon.worker.texturing.surface.mesh import Mesh, is_inside_out

from .compare_open3d import project_with_open3d
from .oracle import Oracle, Photograph, Truth, held_out_cameras, held_out_error, psnr, texel_values

_COVERAGE_VIEWS = 12
_REACHING_SIZE = 320
_REACHING_COS, _REACHING_ERROR = 0.1, 1.0
_TEXELS = 100_000
_PULLED = 0.25
_WARP_PX = 4.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, and what it was measured on."""

    oracle: Oracle
    photographs: tuple[Photograph, ...]
    textures: tuple[Texture, ...]
    measures: Mapping[str, float]


def measure(mesh: Mesh, size: int, view_size: int, count: int, seed: int) -> Figures:
    """All measures of one mesh."""
    oracle = Oracle.of(mesh, size, seed)
    rig, covering = _cameras(mesh, count, view_size)
    shots = [oracle.photograph(camera) for camera in rig]
    options = Options(size, EXACT, anchor=None)
    views = [shot.painted for shot in shots]
    start = time.perf_counter()
    textures = project(mesh, views, options)
    took = time.perf_counter() - start
    again = project(mesh, views, options)
    measures = {
        **recovery(oracle, textures, held_out_cameras(mesh, view_size)),
        **_coverage(oracle, covering, views),
        "bleed_fraction": bleed(oracle, textures),
        "bleed_warp_4px_fraction": bleed(oracle, _warped(mesh, oracle.atlas, shots, options)),
        **seams(oracle, textures, shots, options),
        "repeat_difference_fraction": _difference(textures, again),
        "overlap_fraction": oracle.contested_fraction,
        "projection_ms": took * 1e3,
        "triangles": float(mesh.triangles),
        "tiles": float(len(textures)),
    }
    return Figures(oracle, tuple(shots), tuple(textures), measures)


def recovery(
    oracle: Oracle, textures: Sequence[Texture], cameras: Sequence[Camera]
) -> dict[str, float]:
    """PSNR over texels that a view covers, over those that took the pixel beside, over all, and
    from cameras that took no part; texels that the UV map gives to two places are left out
    (`overlap_fraction` tells how many)."""
    covered, near, everything = list[Tensor](), list[Tensor](), list[Tensor]()
    bare, core = 0, 0
    for texture, truth in zip(textures, oracle.truths, strict=True):
        color, tier = texel_values(texture, truth.tile)
        error = color[:, :3] - truth.color
        covered.append(error[truth.sound & (tier > UNSEEN) & (tier < BESIDE)])
        near.append(error[truth.sound & (tier == BESIDE)])
        everything.append(error[truth.sound])
        bare += int((truth.tile.core & (tier == UNSEEN)).sum())
        core += int(truth.tile.core.sum())
    seen, beside, total = (len(torch.cat(parts)) for parts in (covered, near, everything))
    return {
        "psnr_covered_db": psnr(torch.cat(covered)),
        **({"psnr_beside_db": psnr(torch.cat(near))} if beside else {}),
        "psnr_all_db": psnr(torch.cat(everything)),
        "psnr_heldout_db": psnr(held_out_error(oracle, textures, cameras)),
        "covered_fraction": seen / max(1, total),
        "beside_fraction": beside / max(1, total),
        "bare_texels_fraction": bare / max(1, core),
    }


def _cameras(mesh: Mesh, count: int, size: int) -> tuple[list[Camera], list[Camera]]:
    """`count` cameras that photograph, and the twelve whose coverage is told. Where the rig grows
    camera by camera, they are planned once."""
    most = max(count, _COVERAGE_VIEWS)
    cameras = [view.camera for view in automatic_rig(mesh, most, size)]
    if is_inside_out(mesh) or count < GREEDY:
        return [view.camera for view in automatic_rig(mesh, count, size)], cameras
    return cameras[:count], cameras[:_COVERAGE_VIEWS]


def _coverage(
    oracle: Oracle, cameras: Sequence[Camera], taken: Sequence[PaintedView]
) -> dict[str, float]:
    """Of the texels that any of 50 cameras all around sees at a cosine above 0.1, those that 12
    cameras of the automatic rig cover, those that they cover or give the pixel beside, and those
    that they cover by all pixels about the texel: not, as the last tier does within a pixel, by
    those on one side of an outline alone (`beside`)."""
    mesh, known = oracle.mesh, {view.geometry.camera: view.geometry for view in taken}
    own = [known.get(camera) or _seen(mesh, camera) for camera in cameras]
    others = [_seen(mesh, camera) for camera in all_around(mesh, _REACHING_SIZE)]
    reached, covered, either, whole, total = 0, 0, 0, 0, 0
    for truth in oracle.truths:
        picked = _picked(truth.tile, _TEXELS // len(oracle.truths))
        points = truth.tile.points.select(picked)
        reachable = torch.zeros(len(points), dtype=torch.bool, device=picked.device)
        seen, near, own_pixels = (torch.zeros_like(reachable) for _ in range(3))
        for view in others:
            sight = look(points, view, _REACHING_COS)
            reachable[sight.index[sight.error < _REACHING_ERROR]] = True
        for view in own:
            (plain, _), (moved, tier) = graded(look(points, view), points, view, EXACT)
            own_pixels[plain.index] = True
            seen[plain.index] = True
            seen[moved.index[tier < BESIDE]] = True
            near[plain.index] = True
            near[moved.index] = True
        reached += int(reachable.sum())
        covered += int((reachable & seen).sum())
        either += int((reachable & near).sum())
        whole += int((reachable & own_pixels).sum())
        total += len(points)
    return {
        "coverage_of_reachable_fraction": covered / max(1, reached),
        "coverage_with_beside_fraction": either / max(1, reached),
        "coverage_two_sided_fraction": whole / max(1, reached),
        "reachable_fraction": reached / max(1, total),
    }


def _seen(mesh: Mesh, camera: Camera) -> ViewGeometry:
    return ViewGeometry.of(render_view(mesh, camera))


def _picked(tile: AtlasTile, count: int) -> Tensor:
    core = tile.core.nonzero()[:, 0]
    return core[:: max(1, len(core) // max(1, count))]


def bleed(oracle: Oracle, textures: Sequence[Texture]) -> float:
    """Of the texels that a view gave its paint, those that hold at least a quarter of the views'
    background: the share itself is projected beside the colours, as a fourth channel."""
    pulled, covered = 0, 0
    for texture, truth in zip(textures, oracle.truths, strict=True):
        color, tier = texel_values(texture, truth.tile)
        seen = truth.tile.core & (tier > UNSEEN) & (tier <= BESIDE)
        pulled += int((color[seen, 3] >= _PULLED).sum())
        covered += int(seen.sum())
    return pulled / max(1, covered)


def _warped(
    mesh: Mesh, atlas: Sequence[AtlasTile], shots: Sequence[Photograph], options: Options
) -> list[Texture]:
    """The projection of pictures that stray up to four pixels from the geometry, by the rule for
    generated views."""
    views = [shot.painted_with(warped(shot.picture, i)) for i, shot in enumerate(shots)]
    return project(mesh, views, replace(options, rule=GENERATED, fill=False), atlas=atlas)


def warped(picture: Tensor, number: int) -> Tensor:
    """A picture (h, w, C) bent smoothly, by at most four pixels; each number bends otherwise."""
    height, width = picture.shape[:2]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    turn = 2 * torch.pi * 2.5
    amount = _WARP_PX / 2**0.5
    dx = amount * torch.sin(turn * y / height + number) * torch.cos(turn * x / width + 2.0 * number)
    dy = amount * torch.cos(turn * x / width + 3.0 * number) * torch.sin(turn * y / height - number)
    grid = torch.stack(((x + dx) * 2 / width - 1, (y + dy) * 2 / height - 1), -1)[None]
    bent = torch.nn.functional.grid_sample(
        picture.permute(2, 0, 1)[None].cpu(), grid, padding_mode="border", align_corners=False
    )
    return bent[0].permute(1, 2, 0).to(picture.device)


def seams(
    oracle: Oracle, textures: Sequence[Texture], shots: Sequence[Photograph], options: Options
) -> dict[str, float]:
    """Seam ratios relative to an atlas of true colours (see `seams`), also of atlases made four
    times smaller, relative to the solid texture itself, and with views whose exposure is off by 5
    and 15 % and harmonised."""
    pitch = float(
        torch.cat([truth.tile.pitch[truth.tile.core] for truth in oracle.truths]).median()
    )
    probes = edge_probes(oracle.mesh, pitch)
    images = [(t.number, torch.from_numpy(t.color[..., :3])) for t in textures]
    ideal = [(t.tile.number, _ideal(t)) for t in oracle.truths]
    seen, true = probe_colors(probes, images), probe_colors(probes, ideal)
    coarse = edge_probes(oracle.mesh, 4 * pitch)
    small, small_ideal = (
        probe_colors(coarse, [(number, _quarter(image)) for number, image in made])
        for made in (images, ideal)
    )
    result = {
        "uv_seam_ratio": uv_seam_ratio(probes, seen, true),
        "uv_seam_mip4_ratio": uv_seam_ratio(coarse, small, small_ideal),
        "uv_seam_over_solid_ratio": uv_seam_ratio(probes, seen, oracle.solid(probes.position)),
        "view_seam_ratio": _view_seams(oracle, textures),
    }
    for percent in (5, 15):
        views = exposed(shots, percent / 100)
        harmonised = project(oracle.mesh, views, replace(options, anchor=0), atlas=oracle.atlas)
        result[f"view_seam_exposure_{percent}_ratio"] = _view_seams(oracle, harmonised)
        result[f"psnr_exposure_{percent}_db"] = recovery(oracle, harmonised, [])["psnr_covered_db"]
    return result


def exposed(shots: Sequence[Photograph], error: float) -> list[PaintedView]:
    """Views whose exposure is off by up to `error` in each channel, the first's excepted."""
    generator = torch.Generator().manual_seed(1)
    gains = 1 + error * (torch.rand((len(shots), 3), generator=generator) * 2 - 1)
    gains[0] = 1
    views = []
    for shot, gain in zip(shots, gains, strict=True):
        picture = shot.picture.clone()
        picture[..., :3] *= gain.to(picture)
        views.append(shot.painted_with(picture))
    return views


def _ideal(truth: Truth) -> Tensor:
    """A tile (size, size, 3) of true colours, its gutter painted as ours are: what the best of
    projections could give under this UV map."""
    painted = truth.tile.image(torch.ones_like(truth.tile.core)).cpu().numpy()
    color, _ = dilate(truth.tile.image(truth.color).cpu().numpy(), painted)
    return torch.from_numpy(color)


def _quarter(image: Tensor) -> Tensor:
    small = torch.nn.functional.avg_pool2d(image.permute(2, 0, 1)[None], 4)
    return small[0].permute(1, 2, 0)


def _view_seams(oracle: Oracle, textures: Sequence[Texture]) -> float:
    """The mean over tiles of `view_seam_ratio`, over texels that paint one place."""
    ratios = []
    for texture, truth in zip(textures, oracle.truths, strict=True):
        reference = truth.tile.image(truth.color)
        label = torch.from_numpy(texture.view.astype(np.int64)).to(reference.device)
        label = torch.where(truth.tile.image(truth.sound), label, -1)
        color = torch.from_numpy(texture.color[..., :3]).to(reference)
        ratios.append(view_seam_ratio(color, reference, label))
    return float(np.mean(ratios))


def _difference(one: Sequence[Texture], other: Sequence[Texture]) -> float:
    """The fraction of numbers that are not bit-equal between two runs."""
    return float(np.mean([np.mean(a.color != b.color) for a, b in zip(one, other, strict=True)]))


def compare_measures(figures: Figures, size: int) -> dict[str, float]:
    """Open3D on the same photographs: the same PSNRs of its texture (covered: our covered)."""
    shots = figures.photographs
    cameras = [shot.view.camera for shot in shots]
    pictures = [shot.picture[..., :3].cpu().numpy() for shot in shots]
    color = project_with_open3d(figures.oracle.mesh, cameras, pictures, size)
    ours = figures.textures[0]
    theirs = [replace(ours, color=np.concatenate([color, ours.color[..., 3:]], 2))]
    held_out = held_out_cameras(figures.oracle.mesh, cameras[0].width)
    found = recovery(figures.oracle, theirs, held_out)
    names = ("psnr_covered_db", "psnr_all_db", "psnr_heldout_db")
    return {f"open3d_{name}": found[name] for name in names}
