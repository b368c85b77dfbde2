"""A known texture, photographed and projected, comes back; the command measures it on any mesh."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.tools.evals.oracle import Oracle, held_out_cameras
from underpaint_daemon.tools.evals.projection import main
from underpaint_daemon.tools.evals.projection_figures import bleed, recovery, warped
from underpaint_daemon.tools.evals.shapes import SHAPES, fragmented_uv
from underpaint_daemon.worker.texturing.projection.project import Options, project
from underpaint_daemon.worker.texturing.projection.seams import (
    edge_probes,
    probe_colors,
    uv_seam_ratio,
)
from underpaint_daemon.worker.texturing.projection.tiers import EXACT

torch.set_num_threads(1)
SPOT = Path(__file__).parents[2] / "data" / "spot.obj"


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_known_texture_comes_back_on_hard_meshes(name: str) -> None:
    oracle = Oracle.of(SHAPES[name](), 256)
    shots = oracle.photographs(9, 256, oversampling=2)
    textures = project(oracle.mesh, [s.painted for s in shots], Options(256, EXACT, anchor=None))
    found = recovery(oracle, textures, held_out_cameras(oracle.mesh, 256))
    # Some insides are seen only at a slant by 256 pixels: that bounds what can come back.
    assert found["psnr_covered_db"] > 31
    assert found["bare_texels_fraction"] == 0
    assert bleed(oracle, textures) == 0


def test_seams_of_the_true_texture_count_as_none_and_torn_ones_do() -> None:
    oracle = Oracle.of(fragmented_uv(), 512)
    (truth,) = oracle.truths
    image = truth.tile.image(truth.color)
    probes = edge_probes(oracle.mesh, float(truth.tile.pitch.median()))
    true = oracle.solid(probes.position)
    assert uv_seam_ratio(probes, true, true) == pytest.approx(1)
    assert bool(probes.seam.all())
    colours = probe_colors(probes, [(1001, image)])
    assert float((colours - true).abs().mean()) < 0.01


def test_a_warp_strays_by_four_pixels_at_most() -> None:
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    bent = warped(torch.stack((x, y), -1), 3)
    stray = (bent - torch.stack((x, y), -1))[8:-8, 8:-8].norm(dim=-1)
    assert 2.0 < float(stray.max()) <= 4.01


@pytest.mark.slow
def test_the_command_measures_spot(tmp_path: Path, capsys) -> None:
    code = main([str(SPOT), "--json", "--size", "512", "--view-size", "512",
                 "--out", str(tmp_path)])  # fmt: skip
    report = json.loads(capsys.readouterr().out)
    assert report["command"] == "eval projection"
    assert code in (0, 3)
    assert report["holds"] == (code == 0)
    measures = report["measures"]
    assert measures["psnr_covered_db"] > 50
    assert measures["psnr_all_db"] > 45
    assert measures["psnr_heldout_db"] > 44
    assert measures["coverage_of_reachable_fraction"] > 0.98
    assert measures["bleed_fraction"] == 0
    assert measures["repeat_difference_fraction"] == 0
    names = {Path(path).name for path in report["artifacts"]}
    assert {"texture.png", "heat_map.png", "error.png", "turntable.png"} <= names
    assert all(Path(path).stat().st_size > 1000 for path in report["artifacts"])


def test_the_command_refuses_what_is_no_mesh(tmp_path: Path) -> None:
    (tmp_path / "bad.obj").write_text("v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(RequestError, match="nowhere, such as vertex 1") as refused:
        main([str(tmp_path / "bad.obj"), "--json"])
    assert refused.value.code is ErrorCode.BAD_MESH
    with pytest.raises(RequestError, match=r"absent\.obj"):
        main([str(tmp_path / "absent.obj")])


def test_a_texture_of_another_seed_is_another_texture() -> None:
    mesh = fragmented_uv()
    one, other = (Oracle.of(mesh, 64, seed).truths[0].color for seed in (0, 1))
    assert float((one - other).abs().mean()) > 0.1
    assert np.isfinite(one.numpy()).all()
