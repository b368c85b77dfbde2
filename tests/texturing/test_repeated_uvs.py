"""UVs over the borders of tiles, as a floor has that repeats one picture; and UVs that leave no
texels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from underpaint_daemon.tools.meshes.files import open_mesh
from underpaint_daemon.worker.texturing.surface.atlas import build_tile, tiles
from underpaint_daemon.worker.texturing.surface.reception import mesh_from_arrays, received
from underpaint_daemon.worker.texturing.surface.uvcheck import check_uvs

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
