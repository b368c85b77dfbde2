"""Models that Underpaint has no file for paint with their makers' size, steps and guidance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from underpaint import Paths
from underpaint_daemon.common.defaults.model_defaults import model_defaults


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(runtime=tmp_path / "run", data=tmp_path, cache=tmp_path / "cache")


def a_model(paths: Paths, name: str, pipeline: str, cells: int = 128, **index: object) -> None:
    told = {"_class_name": f"{pipeline}Pipeline", "transformer": ["diffusers", "A"], **index}
    files = {
        "model_index.json": told,
        "transformer/config.json": {"sample_size": cells},
        "vae/config.json": {"block_out_channels": [1, 2, 4, 4]},
        "scheduler/scheduler_config.json": {"_class_name": "DPMSolverMultistepScheduler"},
    }
    for file, data in files.items():
        place = paths.models / name / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("name", "pipeline", "cells", "told", "steps", "guidance", "side"),
    [
        ("Sana_Sprint_1.6B_1024px_diffusers", "SanaSprint", 32, "", 2, 4.5, 1024),
        ("whatever I called it", "SanaSprint", 32, "", 2, 4.5, 1024),
        ("PixArt-XL-2-512x512", "PixArtAlpha", 64, "", 20, 4.5, 512),
        ("PixArt-Sigma-XL-2-2K-MS", "PixArtSigma", 256, "", 20, 4.5, 2048),
        ("PixArt of no known side", "PixArtSigma", 0, "", 20, 4.5, 1024),
        ("PixArt-LCM-XL-2-1024-MS", "PixArtAlpha", 128, "LCM", 4, 1.0, 1024),
        ("HunyuanDiT-v1.2-Diffusers", "HunyuanDiT", 128, "", 50, 5.0, 1024),
        ("HunyuanDiT-v1.2-Diffusers-Distilled", "HunyuanDiT", 128, "Distilled", 25, 5.0, 1024),
        ("HiDream-I1-Full", "HiDreamImage", 64, "", 50, 5.0, 1024),
        ("HiDream-I1-Fast", "HiDreamImage", 64, "Fast", 16, 1.0, 1024),
        ("ERNIE-Image-Turbo", "ErnieImage", 64, "Turbo", 8, 1.0, 1024),
        ("AuraFlow-v0.3", "AuraFlow", 64, "", 50, 3.5, 1024),
        ("IF-I-XL-v1.0", "IF", 64, "", 100, 7.0, 64),
        ("an artist's SD 3.5, which is none", "StableDiffusion3", 128, "", 28, 4.5, 1024),
    ],
)
def test_a_foreign_model_paints_as_its_makers_say(
    paths: Paths,
    name: str,
    pipeline: str,
    cells: int,
    told: str,
    steps: int,
    guidance: float,
    side: int,
) -> None:
    a_model(paths, name, pipeline, cells)
    found = model_defaults(paths, name)
    assert (found.told, found.steps, found.guidance) == (told, steps, guidance)
    assert found.size == side


def test_an_index_that_says_its_side_is_believed(paths: Paths) -> None:
    a_model(paths, "prx", "PRX", default_sample_size=256)
    assert model_defaults(paths, "prx").size == 256
