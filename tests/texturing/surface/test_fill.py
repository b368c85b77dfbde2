"""Texels that no view sees still get harmless paint, and no lookup ever reads a bare one."""

from __future__ import annotations

import numpy as np
import torch

from underpaint_daemon.tools.evals.shapes import thin_fin
from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.render import render_view
from underpaint_daemon.worker.texturing.projection.fill import Sources, fill
from underpaint_daemon.worker.texturing.projection.gather import Gathered
from underpaint_daemon.worker.texturing.projection.gutter import dilate
from underpaint_daemon.worker.texturing.projection.project import (
    Options,
    finish,
    painted_view,
    project,
)
from underpaint_daemon.worker.texturing.projection.tiers import FILLED, GUTTER
from underpaint_daemon.worker.texturing.surface.atlas import build_tile
from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.reception import mesh_from_arrays

from helpers.painting.threads import threads

torch.set_num_threads(1)


def test_a_hole_takes_the_colour_around_it() -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 40))
    points = np.stack([x, y, 0 * x], -1).reshape(-1, 3)
    up = np.tile([0.0, 0, 1], (len(points), 1))
    colour = np.stack([points[:, 0], points[:, 1]], 1).astype(np.float32)
    hole = np.linalg.norm(points[:, :2] - 0.5, axis=1) < 0.1
    sources = Sources(points[~hole], up[~hole], colour[~hole])
    filled = fill(points[hole], up[hole], sources, np.zeros(2))
    assert np.abs(filled - colour[hole]).max() < 0.12


def test_a_pit_of_a_few_texels_continues_the_colours_beside_it() -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 60), np.linspace(0, 1, 60))
    points = np.stack([x, y, 0.01 * np.sin(40 * x)], -1).reshape(-1, 3)
    up = np.tile([0.0, 0, 1], (len(points), 1))
    colour = np.stack([points[:, 0], 0.5 + 0.5 * np.sin(6 * points[:, 1])], 1).astype(np.float32)
    pits = (np.arange(60) % 10 < 3)[:, None] & (np.arange(60) % 10 < 3)
    bare = (pits & (x > 0.1) & (y > 0.1)).reshape(-1)
    sources = Sources(points[~bare], up[~bare], colour[~bare])
    filled = fill(points[bare], up[bare], sources, np.zeros(2))
    assert np.abs(filled - colour[bare]).max() < 0.01
    assert np.sqrt(((filled - colour[bare]) ** 2).mean()) < 0.004


def test_what_is_continued_stays_within_the_colours_beside_it() -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 30), np.linspace(0, 1, 30))
    points = np.stack([x, y, 0 * x], -1).reshape(-1, 3)
    up = np.tile([0.0, 0, 1], (len(points), 1))
    steep = (points[:, :1] > 0.6).astype(np.float32)
    bare = points[:, 0] > 0.65
    sources = Sources(points[~bare], up[~bare], steep[~bare])
    filled = fill(points[bare], up[bare], sources, np.zeros(1))
    assert ((filled >= 0) & (filled <= 1)).all()


def test_paint_does_not_seep_through_a_thin_plate() -> None:
    line = np.linspace(0, 1, 200)
    front = np.stack([line, 0 * line, 0 * line], 1)
    back = front + np.array([0, 0, 0.001])
    sources = Sources(
        np.concatenate([front, back[:20]]),
        np.concatenate([np.tile([0, 0, -1.0], (200, 1)), np.tile([0, 0, 1.0], (20, 1))]),
        np.concatenate([np.zeros((200, 1)), np.ones((20, 1))]).astype(np.float32),
    )
    filled = fill(back[20:30], np.tile([0, 0, 1.0], (10, 1)), sources, np.zeros(1))
    assert (filled > 0.9).all()


def test_with_nothing_painted_the_fallback_is_used() -> None:
    empty = Sources(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3)))
    filled = fill(np.zeros((4, 3)), np.ones((4, 3)), empty, np.array([0.1, 0.2, 0.3]))
    assert np.allclose(filled, [0.1, 0.2, 0.3])


def test_gutters_take_the_nearest_paint_and_leave_the_painted_alone() -> None:
    painted = np.zeros((32, 32), bool)
    painted[4:8, 4:8] = painted[20:28, 20:28] = True
    image = np.zeros((32, 32, 1), np.float32)
    image[4:8, 4:8], image[20:28, 20:28] = 1, 2
    full, given = dilate(image, painted)
    assert (given == ~painted).all()
    assert (full[:9, :9] == 1).all()
    assert (full[19:, 19:] == 2).all()
    near, given = dilate(image, painted, reach=3)
    assert near[4, 10] == 1
    assert near[4, 14] == 0
    assert not given[4, 14]


def test_one_view_paints_the_whole_texture_and_each_texel_knows_how() -> None:
    mesh = thin_fin()
    view = render_view(mesh, place(mesh, Direction(0, 20), 192).camera)
    picture = torch.where(view.mask[..., None], torch.tensor([0.2, 0.4, 0.6]), 1.0)
    texture = project(mesh, [painted_view(view, picture)], Options(128))[0]
    assert (texture.tier > 0).all()
    assert {1, FILLED, GUTTER} <= set(np.unique(texture.tier).tolist())
    assert np.isfinite(texture.color).all()
    assert np.abs(texture.color - [0.2, 0.4, 0.6])[texture.tier != 3].max() < 1e-4
    assert ((texture.view >= 0) == ((texture.tier > 0) & (texture.tier < FILLED))).all()


def folded_strip() -> Mesh:
    """Two squares that share the edge x = 0 and fold to 20 degrees, UVs apart."""
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0.0]])
    turn = np.deg2rad(20)
    other = square @ np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [0, 0, 1]])
    uv = square[:, :2]
    layout = np.concatenate([uv * 0.4 + 0.05, uv[::-1] * 0.4 + 0.55])
    return mesh_from_arrays(np.concatenate([square, other[::-1]]), None, layout)


def test_fill_runs_on_over_a_fold_that_is_a_seam() -> None:
    mesh = folded_strip()
    tile = build_tile(mesh, 1001, 128)
    first = tile.triangle < 2
    part = Gathered(
        torch.where(first[:, None], tile.points.position[:, 1:2], 0.0),
        first.float(),
        first.to(torch.uint8),
        torch.where(first, 0, -1).to(torch.int16),
    )
    finish(mesh, [tile], [part], Options(128))
    along = tile.points.position[:, 0].abs() + tile.points.position[:, 2].abs() < 0.02
    beside = along & ~first
    assert int(beside.sum()) > 20
    error = part.color[beside, 0] - tile.points.position[beside, 1].clamp(0, 1)
    assert float(error.abs().max()) < 0.06


def test_fill_has_no_steps_of_its_own() -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 96), np.linspace(0, 1, 96))
    points = np.stack([x, y, 0 * x], -1).reshape(-1, 3)
    up = np.tile([0.0, 0, 1], (len(points), 1))
    ring = np.linalg.norm(points[:, :2] - 0.5, axis=1) > 0.4
    turn = np.arctan2(points[:, 1] - 0.5, points[:, 0] - 0.5)
    colour = (0.5 + 0.5 * np.sign(np.sin(6 * turn)))[:, None].astype(np.float32)
    image = colour.copy()
    sources = Sources(points[ring], up[ring], colour[ring])
    image[~ring] = fill(points[~ring], up[~ring], sources, np.zeros(1))
    inner = image.reshape(96, 96)[24:72, 24:72]
    assert np.abs(np.diff(inner, axis=0)).max() < 0.06
    assert np.abs(np.diff(inner, axis=1)).max() < 0.06
    assert abs(float(inner.mean()) - 0.5) < 0.05


def test_fill_gives_the_same_bits_on_any_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((4000, 3))
    up = np.tile([0.0, 0, 1], (4000, 1))
    sources = Sources(points[:1000], up[:1000], rng.random((1000, 3)).astype(np.float32))
    one = fill(points[1000:], up[1000:], sources, np.zeros(3))
    with threads(2):
        two = fill(points[1000:], up[1000:], sources, np.zeros(3))
    assert (one == two).all()
