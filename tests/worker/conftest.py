"""A tiny model, a studio that paints with it, a view: made once for all tests of the worker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline

from underpaint.buffers import Buffers
from underpaint.paths import Paths
from underpaint.requests import View
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache

from helpers.painting.ldm_layout import export
from helpers.painting.studio import Studio, ball_view
from helpers.painting.tiny_model import build


@pytest.fixture(scope="session")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("underpaint")
    found = Paths(runtime=root / "run", data=root, cache=root / "cache")
    build(found.models / "tiny")
    return found


@pytest.fixture(scope="session")
def studio(paths: Paths) -> Iterator[Studio]:
    studio = Studio(PipelineRunner(ModelCache(paths)), Buffers())
    yield studio
    studio.runner.unload()


@pytest.fixture(scope="session")
def view(studio: Studio) -> View:
    return ball_view(studio.buffers)


@pytest.fixture
def checkpoint(studio: Studio, tmp_path: Path) -> Path:
    """The tiny model as one file, with its configurations beside it."""
    models = studio.models.paths.models
    pipeline = StableDiffusionPipeline.from_pretrained(models / "tiny", local_files_only=True)
    keep = shutil.ignore_patterns("*.safetensors", "controlnet_*", "loras", "ip_adapter")
    shutil.copytree(models / "tiny", tmp_path / "single", ignore=keep)
    return export(pipeline, tmp_path / "single.safetensors")
