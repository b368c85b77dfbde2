"""Texture requests from end to end, on a tiny model with random weights."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "worker"))

from sync_scene import torus
from tiny_model import build, build_xl

from underpaint.buffers import Buffers, Kind
from underpaint.paths import Paths
from underpaint.requests import (
    Control,
    ControlKind,
    Method,
    ObjectPrompt,
    Prompt,
    Sampler,
    Sampling,
    TextureRequest,
)
from underpaint_daemon.worker.job import JobCancelled, Phase
from underpaint_daemon.worker.pipelines.cache import ModelCache
from underpaint_daemon.worker.texturing.assets import mesh_ref
from underpaint_daemon.worker.texturing.runner import run_texture

torch.set_num_threads(1)
SIZE = 96


class Reporter:
    """Remembers what it is told."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps, self.warnings, self.previews = [], [], []
        self.stop_after = stop_after

    def progress(self, phase, step, total) -> None:
        if phase is Phase.DENOISING:
            self.steps.append((step, total))

    def checkpoint(self) -> None:
        if self.stop_after is not None and len(self.steps) >= self.stop_after:
            raise JobCancelled

    def wants_preview(self) -> bool:
        return True

    def preview(self, step, image) -> None:
        self.previews.append(image)

    def warn(self, message) -> None:
        self.warnings.append(message)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("texturing")
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    build(paths.models / "tiny")
    build_xl(paths.models / "tiny_xl")
    cache = ModelCache(paths)
    yield cache
    cache.unload()


@pytest.fixture(scope="module")
def scene():
    buffers = Buffers()
    return mesh_ref(torus(24, 12), buffers), buffers


def request_of(scene, **changes) -> TextureRequest:
    request = TextureRequest(
        Prompt("red stone"),
        scene[0],
        model="tiny",
        sampling=Sampling(Sampler.EULER, 2, 3.0, 1),
        controls=(Control(ControlKind.DEPTH),),
        view_count=3,
        view_size=64,
        size=SIZE,
    )
    return replace(request, **changes)


def run(models, scene, reporter=None, **changes) -> dict[str, bytes]:
    files = run_texture(request_of(scene, **changes), scene[1], reporter or Reporter(), models)
    return {file.name: file.data for file in files}


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_a_texture_comes_with_its_reports(models, scene) -> None:
    reporter = Reporter()
    files = run(models, scene, reporter)
    names = {"texture.png", "heat_map.png", "provenance.npz", "views.png", "quality.json"}
    assert names < set(files)
    texture = pixels(files["texture.png"])
    assert texture.shape == (SIZE, SIZE, 4)
    assert (texture[..., 3] == 255).all()
    quality = json.loads(files["quality.json"])
    assert quality["views"] == 3
    assert quality["bare_fraction"] == 0
    assert 0.3 < quality["coverage_fraction"] <= 1
    with np.load(io.BytesIO(files["provenance.npz"])) as provenance:
        assert provenance["tier_1001"].shape == (SIZE, SIZE)
    assert reporter.steps[-1] == (6, 6)
    assert len(reporter.previews) == 2


def test_the_same_request_gives_the_same_bytes(models, scene) -> None:
    assert run(models, scene)["texture.png"] == run(models, scene)["texture.png"]


@pytest.mark.parametrize("method", [Method.SEQUENTIAL, Method.GRID_SYNC])
def test_other_methods_paint_the_whole_surface(models, scene, method) -> None:
    reporter = Reporter()
    texture = pixels(run(models, scene, reporter, method=method)["texture.png"])
    assert (texture[..., 3] == 255).all()
    assert texture[..., :3].std() > 1
    assert reporter.steps[-1][0] == reporter.steps[-1][1]


def test_a_single_view_paints_only_what_it_sees(models, scene) -> None:
    texture = pixels(run(models, scene, method=Method.SINGLE)["texture.png"])
    assert 0.1 < (texture[..., 3] == 255).mean() < 0.6


def test_locked_texels_stay_bit_for_bit(models, scene) -> None:
    rng = np.random.default_rng(4)
    base = rng.integers(0, 256, (SIZE, SIZE, 4), np.uint8)
    lock = np.zeros((SIZE, SIZE), np.uint8)
    lock[:, : SIZE // 2] = 255
    changes = {"base": scene[1].add(Kind.COLOR, base), "lock": scene[1].add(Kind.MASK, lock)}
    texture = pixels(run(models, scene, **changes)["texture.png"])
    assert np.array_equal(texture[lock == 255], base[lock == 255])
    assert not np.array_equal(texture[lock == 0], base[lock == 0])


def test_no_strength_keeps_the_base_as_the_views_see_it(models, scene) -> None:
    base = np.full((SIZE, SIZE, 3), (200, 90, 30), np.uint8)
    ref = scene[1].add(Kind.COLOR, base)
    texture = pixels(run(models, scene, base=ref, strength=0.0)["texture.png"])
    assert np.abs(texture[..., :3].astype(int) - (200, 90, 30)).max() <= 2


def test_cancelling_stops_and_leaves_the_model_as_it_was(models, scene) -> None:
    before = models.load("tiny").unet.attn_processors
    with pytest.raises(JobCancelled):
        run(models, scene, Reporter(stop_after=2))
    after = models.load("tiny").unet.attn_processors
    assert {k: type(v) for k, v in after.items()} == {k: type(v) for k, v in before.items()}
    assert run(models, scene)["texture.png"] == run(models, scene)["texture.png"]


def test_an_object_can_have_a_prompt_of_its_own(models, scene) -> None:
    plain = run(models, scene)["texture.png"]
    own = (ObjectPrompt(1, Prompt("blue ball")),)
    assert run(models, scene, object_prompts=own)["texture.png"] != plain


def test_sdxl_models_texture_too(models, scene) -> None:
    texture = pixels(run(models, scene, model="tiny_xl")["texture.png"])
    assert (texture[..., 3] == 255).all()
