"""UVs over the borders of tiles, as a floor has that repeats one picture; and UVs that leave no
texels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from underpaint_daemon.tools.meshes.files import open_mesh
from underpaint_daemon.worker.texturing.job.remarks import remarks
from underpaint_daemon.worker.texturing.surface.atlas import build_tile, tiles
from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.pieces import told_of_small_pieces
from underpaint_daemon.worker.texturing.surface.reception import mesh_from_arrays, received
from underpaint_daemon.worker.texturing.surface.uvcheck import UvReport, check_uvs

QUAD = np.array([[0, 0, 0], [4, 0, 0], [4, 4, 0], [0, 0, 0], [4, 4, 0], [0, 4, 0]], np.float32)
UV = QUAD[:, :2] / 4


def test_a_floor_that_repeats_one_picture_has_one_tile_all_of_it_painted(tmp_path: Path) -> None:
    path = tmp_path / "floor.obj"
    corners = ((0, 0), (4, 0), (4, 4), (0, 4))
    places = [f"v {x} 0 {y}\nvt {x} {y}" for x, y in corners]
    path.write_text("\n".join([*places, "f 1/1 2/2 3/3 4/4"]))
    mesh = received(open_mesh(path).corners).mesh
    assert tiles(mesh) == [1001]
    assert build_tile(mesh, 1001, 32).core.all()
    assert any("repeats" in said for said in check_uvs(mesh).warnings)


@pytest.mark.parametrize("over", [(0.25, 0.0), (0.0, -0.25), (0.25, 0.25)])
def test_what_lies_over_a_tiles_border_is_painted_at_its_other_side(
    over: tuple[float, float],
) -> None:
    mesh = mesh_from_arrays(QUAD, None, UV * 0.9 + over)
    tile = build_tile(mesh, 1001, 40)
    size = 40
    uv = np.stack([(tile.index % size + 0.5) / size, 1 - (tile.index // size + 0.5) / size], 1)
    expected = (uv[tile.core] - over) % 1 / 0.9 * 4
    found = tile.points.position[tile.core, :2].numpy()
    assert np.abs(found - expected).max() < 1e-4
    assert tile.core.float().mean() == pytest.approx(1, abs=0.2)
    assert len(found) == pytest.approx(0.81 * size**2, rel=0.05)


def test_uvs_that_leave_no_texels_are_told_with_the_fix() -> None:
    said = check_uvs(mesh_from_arrays(QUAD, None, UV * 0.001)).warnings
    assert len(said) == 1
    assert "next to no texels" in said[0]


def scattered(pieces: int) -> Mesh:
    """As many quads as `pieces`², each a piece of its own on the UV map."""
    at = np.stack(np.meshgrid(range(pieces), range(pieces)), -1).reshape(-1, 1, 2) / pieces
    uv = (at + UV * 0.8 / pieces).reshape(-1, 2)
    points = np.pad(at * 9, ((0, 0), (0, 0), (0, 1))) + QUAD / 40
    return mesh_from_arrays(points.reshape(-1, 3), None, uv)


def test_pieces_too_small_for_the_texture_are_told_with_the_size_that_holds_them() -> None:
    said = told_of_small_pieces(scattered(50), 128)
    assert said is not None
    assert "of 2500 in all" in said
    assert "a texture of 256" in said
    assert told_of_small_pieces(scattered(50), 256) is None


def test_a_fine_mesh_in_one_piece_is_no_small_piece() -> None:
    steps = np.arange(120)
    at = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 1, 2)
    points = (np.pad(at, ((0, 0), (0, 0), (0, 1))) + QUAD / 4).reshape(-1, 3)
    mesh = mesh_from_arrays(points, None, points[:, :2] / 120)
    assert told_of_small_pieces(mesh, 128) is None


REPORT = UvReport(0.0, 0.0, 0.0, (1001,), 0.0)


@pytest.mark.parametrize(
    ("uv", "views", "texels", "word"),
    [
        (replace(REPORT, used=0.001), 9, 0, "next to no texels"),
        (replace(REPORT, overlap=0.8), 9, 900, "without overlaps"),
        (replace(REPORT, crossing=0.6), 9, 900, "into the tile"),
        (REPORT, 2, 900, "more see more"),
        (REPORT, 9, 900, "inside or behind"),
    ],
)
def test_a_surface_that_few_views_saw_says_why(
    uv: UvReport, views: int, texels: int, word: str
) -> None:
    figures = {"coverage_fraction": 0.3, "views": views, "texels": texels}
    (said,) = remarks(figures, uv=uv)
    assert "only 30%" in said
    assert word in said
