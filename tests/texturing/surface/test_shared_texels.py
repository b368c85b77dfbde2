"""A crate: six sides that wear one picture. Whatever sides the views see, the picture is theirs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from underpaint_daemon.common.meshes.corners import checked
from underpaint_daemon.worker.texturing.cameras.placement import Direction, place
from underpaint_daemon.worker.texturing.cameras.render import render_view
from underpaint_daemon.worker.texturing.projection.project import Options, painted_view, project
from underpaint_daemon.worker.texturing.projection.tiers import EXACT, FILLED
from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.reception import received

torch.set_num_threads(1)
_SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1]], np.float32)


def crate() -> Mesh:
    """Bottom first, as modelling programs often write it."""
    sides = []
    for axis in (2, 1, 0):
        for end in (-1.0, 1.0):
            outward = (end > 0) != (axis == 1)
            flat = (_SQUARE * 2 - 1)[:: 1 if outward else -1]
            sides.append(np.insert(flat, axis, end, axis=1))
    points = np.concatenate(sides).astype(np.float32)
    return received(checked(points, None, np.tile(_SQUARE, (6, 1)))).mesh


@pytest.mark.parametrize("direction", [Direction(0, 0), Direction(90, 0), Direction(0, 90)])
def test_a_crate_wears_what_one_view_sees_of_it(direction: Direction) -> None:
    mesh = crate()
    view = render_view(mesh, place(mesh, direction, 96).camera)
    picture = torch.tensor([0.9, 0.2, 0.1]).expand(96, 96, 3).clone()
    (texture,) = project(mesh, [painted_view(view, picture)], Options(64, EXACT, anchor=None))
    assert np.mean(texture.tier < FILLED) > 0.95, "seen, not filled"
    assert np.abs(texture.color - (0.9, 0.2, 0.1)).max() < 0.01
