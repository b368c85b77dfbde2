"""Meshes as they come: whatever is wrong with them is said, and all of it is painted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from underpaint_daemon.tools.evals.shapes import chair
from underpaint_daemon.worker.texturing.cameras.render import render_view
from underpaint_daemon.worker.texturing.cameras.rig import automatic_rig
from underpaint_daemon.worker.texturing.projection.project import (
    Options,
    Texture,
    painted_view,
    project,
)
from underpaint_daemon.worker.texturing.projection.tiers import EXACT
from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.reception import mesh_from_arrays
from underpaint_daemon.worker.texturing.surface.uvcheck import check_uvs

torch.set_num_threads(1)

POINTS, UV = chair().position.numpy(), chair().uv.numpy()
COLOUR = torch.tensor([0.2, 0.5, 0.8])


def turned(rows: np.ndarray) -> np.ndarray:
    """Triangle corners in the opposite order."""
    return np.ascontiguousarray(rows.reshape(-1, 3, rows.shape[1])[:, ::-1].reshape(rows.shape))


def some_without_uv_area() -> Mesh:
    uv = UV.copy()
    uv[:60] = 0.3
    return mesh_from_arrays(POINTS, None, uv)


def doubled() -> Mesh:
    points = np.concatenate([POINTS, turned(POINTS)])
    return mesh_from_arrays(points, None, np.concatenate([UV * 0.5, turned(UV) * 0.5 + 0.5]))


def forty_tiles() -> Mesh:
    places = [np.array([1.5 * (i % 8), 1.5 * (i // 8), 0]) for i in range(40)]
    layout = [UV + np.array([i % 10, i // 10]) for i in range(40)]
    points = np.concatenate([POINTS + place for place in places])
    return mesh_from_arrays(points, None, np.concatenate(layout))


def one_part_inside_out() -> Mesh:
    points, uv = POINTS.copy(), UV.copy()
    points[36:72], uv[36:72] = turned(points[36:72]), turned(uv[36:72])
    return mesh_from_arrays(points, None, uv)


def island_without_surface() -> Mesh:
    points = POINTS.copy()
    points[:36] = points[0]
    return mesh_from_arrays(points, None, UV)


MESHES: dict[str, Callable[[], Mesh]] = {
    "a millionth": lambda: mesh_from_arrays(POINTS * 1e-6, None, UV),
    "a thousandfold": lambda: mesh_from_arrays(POINTS * 1e3, None, UV),
    "100 km away": lambda: mesh_from_arrays(POINTS + np.array([1e5, 2e5, 0]), None, UV),
    "squashed": lambda: mesh_from_arrays(POINTS * [1, 1, 1e-4], None, UV),
    "stretched": lambda: mesh_from_arrays(POINTS * [1, 50, 0.1], None, UV),
    "one triangle": lambda: mesh_from_arrays(POINTS[:3], None, UV[:3]),
    "inside out": lambda: mesh_from_arrays(turned(POINTS), None, turned(UV)),
    "one part inside out": one_part_inside_out,
    "both sides": doubled,
    "NaN normals": lambda: mesh_from_arrays(POINTS, np.full_like(POINTS, np.nan), UV),
    "an island without surface": island_without_surface,
    "UVs far outside": lambda: mesh_from_arrays(POINTS, None, UV * 1e6),
    "negative UVs": lambda: mesh_from_arrays(POINTS, None, UV - 3.2),
    "mirrored UVs": lambda: mesh_from_arrays(POINTS, None, np.abs(UV - 0.5)),
    "faces without UV area": some_without_uv_area,
    "one UV point": lambda: mesh_from_arrays(POINTS, None, UV * 0 + 0.5),
    "no UVs": lambda: mesh_from_arrays(POINTS, None, None),
    "40 UDIM tiles": forty_tiles,
}
SAID = {
    "inside out": "inward",
    "an island without surface": "12 degenerate triangles",
    "UVs far outside": "borders of its tile",
    "negative UVs": "borders of its tile",
    "mirrored UVs": "two places",
    "faces without UV area": "no area",
    "one UV point": "one was made",
    "no UVs": "one was made",
}


def painted_plain(mesh: Mesh) -> list[Texture]:
    views = []
    for placed in automatic_rig(mesh, 4, 96):
        view = render_view(mesh, placed.camera)
        picture = torch.full((*view.size, 3), -9.0)
        picture[view.mask] = COLOUR
        views.append(painted_view(view, picture))
    return project(mesh, views, Options(32, EXACT))


@pytest.mark.parametrize("name", MESHES)
def test_all_of_a_bad_mesh_is_painted_and_what_is_wrong_is_said(name: str) -> None:
    mesh = MESHES[name]()
    textures = painted_plain(mesh)
    for texture in textures:
        assert np.isfinite(texture.color).all()
        assert (texture.tier > 0).all()
        assert np.abs(texture.color - COLOUR.numpy()).max() < 1e-3
    assert len(textures) == (40 if name == "40 UDIM tiles" else 1)
    assert SAID.get(name, "") in " ".join((*mesh.warnings, *check_uvs(mesh, 64).warnings))
