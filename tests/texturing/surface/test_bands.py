"""Views that differ meet without a step and without blur; the measure of sharpness tells both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from underpaint_daemon.tools.evals.shapes import chair, fragmented_uv
from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.render import render_view
from underpaint_daemon.worker.texturing.projection.bands import broad_colors
from underpaint_daemon.worker.texturing.projection.gather import gather
from underpaint_daemon.worker.texturing.projection.project import Options, painted_view, project
from underpaint_daemon.worker.texturing.projection.quality import sharpness_ratio
from underpaint_daemon.worker.texturing.projection.tiers import EXACT, GENERATED
from underpaint_daemon.worker.texturing.surface.points import SurfacePoints

torch.set_num_threads(1)
STEEP = replace(GENERATED, alpha=8.0)


def seen_from(mesh, azimuth, size, elevation=0.0):
    return render_view(mesh, place(mesh, Direction(azimuth, elevation), size).camera)


def along_the_equator(pictures, rule):
    """(200,) what a globe's equator takes from views 70 degrees apart, from one to the other."""
    mesh = fragmented_uv(96, 48)
    views = [seen_from(mesh, azimuth, 256) for azimuth in (0, 70)]
    painted = [painted_view(v, picture(v)) for v, picture in zip(views, pictures, strict=True)]
    eyes = [np.arctan2(v.camera.position[1], v.camera.position[0]) for v in views]
    turn = torch.from_numpy(np.linspace(*np.unwrap(eyes), 200)).float()
    at = torch.stack((turn.cos(), turn.sin(), torch.full_like(turn, 0.01)), 1)
    normal = torch.nn.functional.normalize(at, dim=1)
    points = SurfacePoints(normal, normal, torch.ones(200, dtype=torch.int32))
    got = gather(points, torch.full((200,), 1e-3), painted, rule, 1)
    assert bool((got.tier == 1).all())
    return got.color[:, 0]


def flat(value):
    return lambda view: torch.full((*view.size, 1), value)


def striped(view):
    return (torch.arange(view.size[1]) % 8 / 8.0).expand(view.size)[..., None]


def test_broad_colours_of_two_views_meet_more_softly_than_their_detail() -> None:
    wide, narrow = (
        along_the_equator([flat(0.2), flat(0.8)], rule)
        for rule in (STEEP, replace(STEEP, broad=None))
    )
    assert float(wide[0]) < 0.3
    assert float(wide[-1]) > 0.7
    assert float(wide.diff().max()) < 0.5 * float(narrow.diff().max())


def test_detail_is_as_sharp_as_where_only_the_squarer_view_paints() -> None:
    striped_once = along_the_equator([striped, flat(0.5)], STEEP)[:60]
    alone = along_the_equator([striped, striped], replace(STEEP, alpha=200.0, broad=None))[:60]
    assert float(striped_once.diff().std()) > 0.85 * float(alone.diff().std())


def test_views_that_agree_come_back_as_they_are() -> None:
    both = along_the_equator([flat(0.3), flat(0.3)], STEEP)
    assert torch.allclose(both, torch.tensor(0.3), atol=1e-5)


def test_broad_colours_do_not_cross_an_outline() -> None:
    image = torch.zeros((1, 2, 40, 60))
    image[:, 0, :, 30:] = 1
    image[:, 1] = torch.rand((40, 60), generator=torch.Generator().manual_seed(0))
    column = torch.arange(60)
    inside = ((column - 29.5).abs() > 5).expand(40, 60)
    found = broad_colors(image, inside, 10.0)
    assert torch.allclose(found[0, 0][inside], image[0, 0][inside], atol=1e-5)
    assert float(found[0, 1][inside].std()) < 0.2 * float(image[0, 1].std())


def noisy(view, seed):
    """Each view another blotchy picture, equally sharp all over."""
    noise = np.random.default_rng(seed).standard_normal((*view.size, 3))
    smooth = gaussian_filter(noise, (2.0, 2.0, 0))
    return torch.from_numpy((0.5 + 0.1 * smooth / smooth.std()).astype(np.float32))


def test_sharpness_is_near_one_where_views_keep_their_own_and_less_where_paint_is_blurred() -> None:
    mesh = chair()
    views = [seen_from(mesh, azimuth, 192, 25.0) for azimuth in range(20, 380, 60)]
    pictures = [noisy(view, seed) for seed, view in enumerate(views)]
    painted = [painted_view(v, p) for v, p in zip(views, pictures, strict=True)]
    lone = replace(EXACT, alpha=40.0)
    (texture,) = project(mesh, painted, Options(640, lone, anchor=None))
    colour = torch.from_numpy(texture.color)
    sharp = sharpness_ratio(mesh, [(1001, colour)], views, pictures)
    assert 0.8 < sharp < 1.05, "each picture was interpolated twice, and no seam was counted"
    soft = torch.from_numpy(gaussian_filter(texture.color, (4.0, 4.0, 0)))
    assert sharpness_ratio(mesh, [(1001, soft)], views, pictures) < 0.6
