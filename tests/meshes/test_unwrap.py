"""Scans without UVs: few charts, little stretch, however rough the surface is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from underpaint_daemon.common.meshes.normals import uv_double_areas
from underpaint_daemon.tools.evals.meshes import load
from underpaint_daemon.worker.texturing.surface.unwrap import unwrap

_ACROSS = 72


def scan(roughness: float) -> np.ndarray:
    """Corners (3L, 3) of a closed ring of 10 368 triangles, as a scanner with noise sees it."""
    turn = np.linspace(0, 2 * np.pi, _ACROSS, endpoint=False)
    u, v = np.meshgrid(turn, turn, indexing="ij")
    noise = np.random.default_rng(3).normal(size=u.shape) * roughness
    r = 0.4 + noise
    points = np.stack(
        [(1 + r * np.cos(v)) * np.cos(u), (1 + r * np.cos(v)) * np.sin(u), r * np.sin(v)], axis=-1
    )
    next_u, next_v = np.roll(points, -1, axis=0), np.roll(points, -1, axis=1)
    far = np.roll(next_u, -1, axis=1)
    triangles = np.stack([points, next_u, far, points, far, next_v], axis=2)
    return triangles.reshape(-1, 3).astype(np.float32)


@pytest.mark.parametrize("roughness", [0.0, 0.004, 0.02])
def test_a_rough_scan_does_not_shatter(roughness: float) -> None:
    corners = scan(roughness)
    made = unwrap(corners)
    assert made.charts <= len(corners) // 3 // 50
    assert made.stretch < 1.5
    area = uv_double_areas(made.uv)
    assert ((made.uv >= 0) & (made.uv <= 1)).all()
    assert (area > 0).mean() > 0.99, "no chart is folded over or mirrored"


def test_a_scan_rougher_than_its_triangles_are_long_does_not_shatter_either() -> None:
    corners = scan(0.08)
    made = unwrap(corners)
    assert made.charts <= len(corners) // 3 // 50
    assert np.isfinite(made.stretch), "told, however large"
    assert np.abs(uv_double_areas(made.uv)).sum() / 2 > 0.4, "charts, not padding, fill the tile"


def test_a_scan_in_a_file_gets_its_uvs(tmp_path: Path) -> None:
    corners = scan(0.0)
    lines = [f"v {x} {y} {z}" for x, y, z in corners.tolist()]
    lines += [f"f {i} {i + 1} {i + 2}" for i in range(1, len(corners), 3)]
    (tmp_path / "scan.obj").write_text("\n".join(lines))
    found = load(tmp_path / "scan.obj")
    assert found.made is not None
    assert found.mesh.uv.shape == (len(corners), 2)
    assert found.mesh.ids.tolist()[-1] == [1, 1]
