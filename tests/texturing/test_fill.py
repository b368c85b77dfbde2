"""Texels that no view sees still get harmless paint, and no lookup ever reads a bare one."""

from __future__ import annotations

import numpy as np
import torch

from underpaint_daemon.worker.texturing.fill import Sources, fill
from underpaint_daemon.worker.texturing.gutter import dilate
from underpaint_daemon.worker.texturing.placement import Direction, place
from underpaint_daemon.worker.texturing.project import Options, painted_view, project
from underpaint_daemon.worker.texturing.render import render_view
from underpaint_daemon.worker.texturing.shapes import thin_fin
from underpaint_daemon.worker.texturing.tiers import FILLED, GUTTER

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
    assert ((texture.view >= 0) == ((texture.tier > 0) & (texture.tier <= 3))).all()
