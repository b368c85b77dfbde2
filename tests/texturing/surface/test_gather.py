"""What a texel takes from the views: only what they see of it, the best of it, and evenly."""

from __future__ import annotations

import pytest
import torch

from underpaint.buffers import Buffers, Kind
from underpaint.cameras import Camera, look_at, orthographic
from underpaint.requests import View
from underpaint_daemon.tools.evals.shapes import chair, fragmented_uv, thin_fin, two_shell_box
from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.render import render_view, view_from_buffers
from underpaint_daemon.worker.texturing.cameras.visibility import (
    ViewGeometry,
    look,
    pixel_footprint,
)
from underpaint_daemon.worker.texturing.projection.gather import gather
from underpaint_daemon.worker.texturing.projection.harmonise import observe, solve
from underpaint_daemon.worker.texturing.projection.project import Options, painted_view, project
from underpaint_daemon.worker.texturing.projection.tiers import BESIDE, EXACT, GENERATED
from underpaint_daemon.worker.texturing.surface.atlas import build_tile
from underpaint_daemon.worker.texturing.surface.points import SurfacePoints
from underpaint_daemon.worker.texturing.surface.sampling import sample_surface

from helpers.painting.threads import threads

torch.set_num_threads(1)
SIZE = 192


def front(mesh, size=SIZE, azimuth=0.0, elevation=0.0):
    return render_view(mesh, place(mesh, Direction(azimuth, elevation), size).camera)


def plain(view, *colour):
    """The view painted in one colour, on a background of -9 that must never show."""
    picture = torch.full((*view.size, len(colour)), -9.0)
    picture[view.mask] = torch.tensor(colour)
    return painted_view(view, picture)


@pytest.mark.parametrize("rule", [EXACT, GENERATED])
@pytest.mark.parametrize("shape", [two_shell_box, thin_fin, chair, fragmented_uv])
def test_only_what_the_view_sees_is_painted_and_no_background(shape, rule) -> None:
    mesh = shape()
    view = front(mesh, azimuth=25, elevation=20)
    tile = build_tile(mesh, 1001, 128)
    got = gather(tile.points, tile.pitch, [plain(view, 0.25, 0.75)], rule, 2)
    seen = got.tier > 0
    assert 0.05 < float(seen.float().mean()) < 0.6
    # An oblique view of an edge may mix one background tap in at the laxest tier.
    firm = seen & (got.tier < 3)
    assert torch.allclose(got.color[firm], torch.tensor([0.25, 0.75]).expand(int(firm.sum()), 2))
    camera = torch.from_numpy(view.camera.position).float()
    toward = torch.nn.functional.normalize(camera - tile.points.position, dim=1)
    assert bool(((toward * tile.points.normal).sum(1)[seen] > 0).all())


def test_what_stands_behind_something_is_not_painted() -> None:
    mesh = two_shell_box()
    tile = build_tile(mesh, 1001, 128)
    got = gather(tile.points, tile.pitch, [plain(front(mesh), 1.0)], EXACT, 1)
    place_, normal = tile.points.position, tile.points.normal
    back_wall = (normal[:, 1] < -0.9) & (place_[:, 1] > 0.9)
    behind = back_wall & ((place_[:, 0] - 0.1).abs() < 0.4) & ((place_[:, 2] + 0.2).abs() < 0.3)
    beside = back_wall & (place_[:, 2] > 0.7)
    assert int(behind.sum()) > 20
    assert not bool((got.tier[behind] > 0).any())
    assert float((got.tier[beside] > 0).float().mean()) > 0.6


def test_a_strip_a_few_pixels_wide_is_seen_by_its_clean_pixels() -> None:
    mesh = thin_fin()
    view = front(mesh, 1024, azimuth=90, elevation=0)
    tile = build_tile(mesh, 1001, 128)
    got = gather(tile.points, tile.pitch, [plain(view, 0.5)], EXACT, 1)
    rim = (tile.points.normal[:, 0] > 0.9) & (tile.points.position[:, 2] > 0.3) & tile.core
    assert int(rim.sum()) > 100
    assert float((got.tier[rim] > 0).float().mean()) > 0.95
    assert torch.allclose(got.color[got.tier > 0], torch.tensor(0.5))


def test_close_to_an_outline_a_point_is_seen_from_its_clean_side() -> None:
    mesh = thin_fin()
    view = front(mesh, 1024, azimuth=90, elevation=0)
    places = torch.where(view.mask[..., None], view.position, -9.0)
    tile = build_tile(mesh, 1001, 128)
    got = gather(tile.points, tile.pitch, [painted_view(view, places)], EXACT, 3)
    rim = (tile.points.normal[:, 0] > 0.9) & (tile.points.position[:, 2] > 0.3) & tile.core
    astray = (got.color - tile.points.position).norm(dim=1)
    pixel = float(pixel_footprint(view.camera, view.depth[view.mask].max()))
    last = rim & (got.tier == len(EXACT.tiers))
    assert float(last.float().sum() / rim.float().sum()) > 0.3
    assert float(astray[last].max()) < pixel
    # Along the strip nothing is off: only across it, towards the outline, pixels are missing.
    assert float((got.color - tile.points.position)[last, 2].abs().max()) < 0.05 * pixel


def test_the_pixel_beside_is_near_on_the_surface_however_slanted_it_is() -> None:
    mesh = fragmented_uv()
    view = front(mesh)
    picture = painted_view(view, torch.where(view.mask[..., None], view.position, -9.0))
    points = sample_surface(mesh, 60_000).points
    got = gather(points, torch.zeros(len(points)), [picture], EXACT, 3)
    taken = got.tier == BESIDE
    assert int(taken.sum()) > 15
    depth = float(view.depth[view.mask].max())
    reach = 2.5 * float(pixel_footprint(view.camera, torch.tensor(depth)))
    assert float((got.color - points.position)[taken].norm(dim=1).max()) <= reach


def test_a_square_view_outweighs_a_slanted_one() -> None:
    mesh = chair()
    views = [plain(front(mesh, azimuth=a), value) for a, value in ((0, 1.0), (70, 0.0))]
    tile = build_tile(mesh, 1001, 128)
    got = gather(tile.points, tile.pitch, views, EXACT, 1)
    facing = (tile.points.normal[:, 1] < -0.9) & (got.tier == 1) & (got.view == 0)
    assert int(facing.sum()) > 100
    assert float(got.color[facing].mean()) > 0.95


def test_coarse_texels_average_fine_stripes() -> None:
    mesh = thin_fin()
    view = front(mesh, 512)
    stripes = (torch.arange(512) // 2 % 2).float().expand(512, 512)[..., None]
    tile = build_tile(mesh, 1001, 64)
    got = gather(tile.points, tile.pitch, [painted_view(view, stripes)], EXACT, 1)
    plate = (tile.points.normal[:, 1] < -0.9) & (got.tier == 1) & (tile.points.position[:, 2] > 0.4)
    assert int(plate.sum()) > 30
    assert float(got.color[plate].std()) < 0.15
    assert float(got.color[plate].mean()) == pytest.approx(0.5, abs=0.05)


def test_a_picture_larger_than_its_geometry_is_used_in_full() -> None:
    mesh = fragmented_uv()
    view = front(mesh, 128)
    fine = front(mesh, 512)
    picture = torch.where(fine.mask[..., None], fine.position[..., :1].sin(), 0.0)
    tile = build_tile(mesh, 1001, 512)
    got = gather(tile.points, tile.pitch, [painted_view(view, picture)], EXACT, 1)
    firm = got.tier == 1
    error = got.color[firm, 0] - tile.points.position[firm, 0].sin()
    assert float(error.abs().mean()) < 2e-3


def test_unequal_exposure_is_found_and_the_anchor_stands() -> None:
    mesh = fragmented_uv()
    gains, views = (1.0, 1.2, 0.85, 1.1, 0.9, 1.0), []
    for number, gain in enumerate(gains):
        view = front(mesh, 160, azimuth=60 * number)
        paint = 0.5 + 0.3 * (3 * view.position.sum(-1, keepdim=True)).sin()
        views.append(painted_view(view, torch.where(view.mask[..., None], paint * gain, 0.0)))
    seen = observe(sample_surface(mesh, 8000).points, views, EXACT)
    found, bias = solve(seen)
    assert float(found[0]) == 1
    assert float(bias[0]) == 0
    level = [float(g * 0.5 * k + b) for g, k, b in zip(found[:, 0], gains, bias[:, 0], strict=True)]
    assert max(level) - min(level) < 0.03


def test_an_orthographic_captured_view_sees_the_same_as_a_rendered_one() -> None:
    mesh = chair()
    matrix = look_at((3, -4, 3), (0, 0, 0.8))
    camera = Camera(matrix, orthographic(128, 128, 3.0, 0.1, 20.0), 128, 128, 0.1, 20.0)
    rendered = render_view(mesh, camera)
    buffers = Buffers()
    captured = view_from_buffers(
        View(camera, depth=buffers.add(Kind.DEPTH, rendered.depth.numpy())), buffers
    )
    assert torch.equal(captured.mask, rendered.mask)
    assert torch.allclose(captured.position, rendered.position, atol=1e-3)
    agree = (captured.normal * rendered.normal).sum(-1)[rendered.mask]
    assert float((agree > 0.99).float().mean()) > 0.85
    points = sample_surface(mesh, 4000).points
    ours, theirs = (look(points, ViewGeometry.of(v)) for v in (rendered, captured))
    both = (ours.error < 1).float().mean() - (theirs.error < 1).float().mean()
    assert abs(float(both)) < 0.01


def test_the_same_views_give_the_same_bits_on_any_number_of_threads() -> None:
    mesh = chair()
    views = [plain(front(mesh, azimuth=a), 0.1 * a, 0.5) for a in (0, 3, 6)]
    first, second = (project(mesh, views, Options(128)) for _ in range(2))
    with threads(2):
        third = project(mesh, views, Options(128))
    for other in (second, third):
        assert (first[0].color == other[0].color).all()
        assert (first[0].view == other[0].view).all()


def test_points_that_leave_the_picture_are_not_seen() -> None:
    mesh = chair()
    view = front(mesh)
    far = SurfacePoints(
        torch.tensor([[50.0, 0, 0], [0, -500.0, 0]]),
        torch.tensor([[0, -1.0, 0], [0, 1.0, 0]]),
        torch.ones(2, dtype=torch.int32),
    )
    assert len(look(far, ViewGeometry.of(view)).index) == 0
