"""Grain of a view lives on in the texture: looked up between pixels, and again between texels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from underpaint_daemon.tools.evals.oracle import Oracle
from underpaint_daemon.tools.evals.projection_figures import bleed, warped
from underpaint_daemon.tools.evals.shapes import chair, thin_fin, two_shell_box
from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.render import render_view
from underpaint_daemon.worker.texturing.cameras.visibility import edge_distance, sample
from underpaint_daemon.worker.texturing.job.methods import RULE
from underpaint_daemon.worker.texturing.projection.gutter import dilate
from underpaint_daemon.worker.texturing.projection.harmonise import observe, solve
from underpaint_daemon.worker.texturing.projection.lookup import textured_view
from underpaint_daemon.worker.texturing.projection.project import Options, painted_view, project
from underpaint_daemon.worker.texturing.projection.quality import sharpness_ratio
from underpaint_daemon.worker.texturing.projection.sharp_lookup import sharp_colors
from underpaint_daemon.worker.texturing.surface.sampling import sample_surface

torch.set_num_threads(1)
SOFT = replace(RULE, sharp=False)


def looked_up(image, pixel, texel):
    size = (image.shape[2], image.shape[3])
    soft = sample(image, pixel).T
    return sharp_colors(image, pixel, size, torch.full((len(pixel),), texel), soft), soft


def places(count, side):
    generator = torch.Generator().manual_seed(0)
    return 4 + torch.rand((count, 2), generator=generator) * (side - 8)


def test_a_plane_comes_back_as_it_is() -> None:
    y, x = torch.meshgrid(torch.arange(32.0) + 0.5, torch.arange(32.0) + 0.5, indexing="ij")
    image = (0.2 * x + 0.1 * y)[None, None]
    pixel = places(500, 32)
    got, _ = looked_up(image, pixel, 0.7)
    assert torch.allclose(got[:, 0], pixel @ torch.tensor([0.2, 0.1]), atol=1e-5)


def bowl(place):
    return (place * place).sum(-1)


def test_a_bend_comes_back_as_it_is_after_one_lookup_and_after_two() -> None:
    y, x = torch.meshgrid(torch.arange(32.0) + 0.5, torch.arange(32.0) + 0.5, indexing="ij")
    image = bowl(torch.stack((x, y), -1))[None, None]
    pixel = places(4000, 32)
    once, soft = looked_up(image, pixel, 0.0)
    assert torch.allclose(once[:, 0], bowl(pixel), rtol=1e-4)
    assert float((soft[:, 0] - bowl(pixel)).mean()) > 0.3
    texel = 0.8
    ends = [pixel + torch.tensor([i * texel, j * texel]) for i in (0, 1) for j in (0, 1)]
    share = torch.rand(pixel.shape, generator=torch.Generator().manual_seed(2))
    weights = [(share - (1 - torch.tensor([i, j]))).abs().prod(1) for i in (0, 1) for j in (0, 1)]
    for lookup, least, most in ((0, -0.01, 0.01), (1, 0.5, 0.7)):
        texels = [looked_up(image, end, texel)[lookup][:, 0] for end in ends]
        seen = sum(w * t for w, t in zip(weights, texels, strict=True))
        assert least < float((seen - bowl(pixel + share * texel)).mean()) < most


def test_nothing_rings_at_a_step_and_nothing_leaves_the_range_around_it() -> None:
    image = (torch.arange(32) >= 16).float().expand(1, 1, 32, 32).contiguous()
    got, _ = looked_up(image, places(4000, 32), 1.0)
    assert float(got.min()) == 0
    assert float(got.max()) == 1


def test_a_view_larger_than_its_grid_is_looked_up_in_its_own_pixels() -> None:
    image = torch.rand((1, 2, 64, 64), generator=torch.Generator().manual_seed(1))
    pixel = places(300, 64)
    texel = torch.full((300,), 0.5)
    own = sharp_colors(image, pixel, (64, 64), texel, sample(image, pixel).T)
    half = sharp_colors(image, pixel / 2, (32, 32), texel, sample(image, pixel).T)
    assert torch.allclose(own, half, atol=1e-4)


def grainy(view, seed):
    """Blotches over a grain a pixel or two wide, as generated views have."""
    noise = np.random.default_rng(seed).standard_normal((2, *view.size, 3))
    coarse, fine = (gaussian_filter(n, (s, s, 0)) for n, s in zip(noise, (4.0, 0.6), strict=True))
    mixed = 0.5 + 0.1 * coarse / coarse.std() + 0.05 * fine / fine.std()
    return torch.from_numpy(mixed.astype(np.float32)).clamp(0, 1)


def textured(mesh, view, picture, rule):
    options = Options(1024, rule, anchor=None, fill=False)
    (texture,) = project(mesh, [painted_view(view, picture)], options)
    return [(texture.number, torch.from_numpy(texture.color))]


def test_a_texture_keeps_the_grain_of_its_view_and_the_measure_tells_blur() -> None:
    mesh = chair()
    view = render_view(mesh, place(mesh, Direction(20.0, 25.0), 128).camera)
    picture = grainy(view, 0)
    sharp, soft = (textured(mesh, view, picture, rule) for rule in (RULE, SOFT))
    blurred = [(n, torch.from_numpy(gaussian_filter(t.numpy(), (1.0, 1.0, 0)))) for n, t in sharp]
    kept, lost, dulled = (
        sharpness_ratio(mesh, textures, [view], [picture]) for textures in (sharp, soft, blurred)
    )
    assert lost + 0.07 < kept < 1.0
    assert dulled < 0.75 * kept
    inside = edge_distance(view) > 6
    amiss = [
        float((textured_view(mesh, view, textures)[..., :3] - picture)[inside].square().mean())
        for textures in (sharp, soft)
    ]
    assert amiss[0] < 0.75 * amiss[1]


def test_a_known_texture_reads_as_sharp_as_photographs_of_it_until_it_is_blurred() -> None:
    oracle = Oracle.of(chair(), 512)
    (truth,) = oracle.truths
    shots = oracle.photographs(6, 192)
    views, pictures = [s.view for s in shots], [s.picture[..., :3] for s in shots]
    painted = truth.tile.image(torch.ones_like(truth.tile.core)).numpy()
    atlas, _ = dilate(truth.tile.image(truth.color).numpy(), painted)
    (made,) = project(oracle.mesh, [s.painted for s in shots], Options(512, RULE, anchor=None))
    true, found, dulled = (
        sharpness_ratio(oracle.mesh, [(1001, torch.from_numpy(image))], views, pictures)
        for image in (atlas, made.color, gaussian_filter(atlas, (3.0, 3.0, 0)))
    )
    assert true == pytest.approx(1.0, abs=0.03)
    assert found == pytest.approx(1.0, abs=0.1)
    assert dulled < 0.9


@pytest.mark.parametrize("shape", [chair, thin_fin])
def test_no_background_comes_with_the_grain(shape) -> None:
    oracle = Oracle.of(shape(), 256)
    shots = oracle.photographs(6, 256)
    for stray in (False, True):
        views = [
            painted_view(s.view, warped(s.picture, i) if stray else s.picture)
            for i, s in enumerate(shots)
        ]
        found = [
            bleed(oracle, project(oracle.mesh, views, Options(256, rule, anchor=None, fill=False)))
            for rule in (RULE, SOFT)
        ]
        assert found[0] <= found[1]
        assert stray or found[0] == 0


def test_grain_that_does_not_agree_leaves_the_exposure_alone() -> None:
    mesh = two_shell_box()
    painted = []
    for number in range(6):
        view = render_view(mesh, place(mesh, Direction(60.0 * number, 20.0), 160).camera)
        broad = 0.5 + 0.1 * (2 * view.position.sum(-1, keepdim=True)).sin()
        noise = np.random.default_rng(number).standard_normal((*view.size, 1)) * 0.06
        painted.append(painted_view(view, broad + torch.from_numpy(noise).float()))
    points = sample_surface(mesh, 8000).points
    broadly, finely = (
        solve(observe(points, painted, RULE, broadly=choice))[0][1:, 0] for choice in (True, False)
    )
    assert float((broadly - 1).abs().max()) < 0.03
    assert float(finely.mean()) < float(broadly.mean()) - 0.05
