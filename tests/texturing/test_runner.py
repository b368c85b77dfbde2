"""Texture requests from end to end, on a tiny model with random weights."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import torch

from underpaint.buffers import Buffers, Kind
from underpaint.paths import Paths
from underpaint.requests import (
    Curve,
    Lora,
    Method,
    ObjectPrompt,
    Prompt,
    Sampler,
    Sampling,
)
from underpaint_daemon.common.job_contract import JobCancelled
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.facts import model_facts
from underpaint_daemon.worker.texturing.job.turntable import turntable

from helpers.meshes.sync_scene import torus
from helpers.painting.denoiser_calls import asked_of
from helpers.painting.texture_studio import SIZE, Reporter, Studio, pixels
from helpers.painting.tiny_model import build, build_xl

torch.set_num_threads(1)


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
def studio(models) -> Studio:
    buffers = Buffers()
    return Studio(models, mesh_ref(torus(24, 12), buffers), buffers)


@pytest.fixture(scope="module")
def plain(studio) -> dict[str, bytes]:
    """The files of the plainest request, of which nobody watches previews."""
    return studio.run()


def test_views_are_denoised_one_after_another_each_with_its_negative(studio, plain) -> None:
    """What keeps the memory of many views at one's: no call holds two of them."""
    with asked_of(studio.models.load("tiny").unet) as calls:
        again = studio.run()
    views, steps = 3, 2
    assert [len(call.latents) for call in calls] == [2] * views * steps
    assert len({call.timestep for call in calls}) == steps
    assert again["texture.png"] == plain["texture.png"]


def test_a_texture_comes_with_its_reports(studio, plain) -> None:
    reporter = Reporter()
    files = studio.run(reporter)
    assert files["texture.png"] == plain["texture.png"], "whoever watches"
    names = {"texture.png", "heat_map.png", "provenance.npz", "views.png", "views.json"}
    names |= {"quality.json", "texture.json"}
    assert names <= set(files)
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
    assert [index for index, _ in reporter.previews] == [0, 0]


def test_the_same_request_gives_the_same_bytes(studio, plain) -> None:
    assert studio.run()["texture.png"] == plain["texture.png"]


@pytest.mark.parametrize("method", [Method.SEQUENTIAL, Method.GRID_SYNC])
def test_other_methods_paint_the_whole_surface(studio, method) -> None:
    reporter = Reporter()
    texture = pixels(studio.run(reporter, method=method)["texture.png"])
    assert (texture[..., 3] == 255).all()
    assert texture[..., :3].std() > 1
    assert reporter.steps[-1][0] == reporter.steps[-1][1]


def test_a_single_view_paints_only_what_it_sees(studio) -> None:
    texture = pixels(studio.run(method=Method.SINGLE)["texture.png"])
    assert 0.1 < (texture[..., 3] == 255).mean() < 0.6


def test_no_strength_keeps_the_base_as_the_views_see_it(studio) -> None:
    base = np.full((SIZE, SIZE, 3), (200, 90, 30), np.uint8)
    ref = studio.buffers.add(Kind.COLOR, base)
    texture = pixels(studio.run(base=ref, strength=0.0)["texture.png"])
    assert np.abs(texture[..., :3].astype(int) - (200, 90, 30)).max() <= 2


def test_cancelling_stops_and_leaves_the_model_as_it_was(studio, plain) -> None:
    before = studio.models.load("tiny").unet.attn_processors
    with pytest.raises(JobCancelled):
        studio.run(Reporter(stop_after=2))
    after = studio.models.load("tiny").unet.attn_processors
    assert {k: type(v) for k, v in after.items()} == {k: type(v) for k, v in before.items()}
    assert studio.run()["texture.png"] == plain["texture.png"]


def test_an_object_can_have_a_prompt_of_its_own(studio, plain) -> None:
    def painted(of_object: int) -> np.ndarray:
        own = (ObjectPrompt(of_object, Prompt("blue ball")),)
        return pixels(studio.run(object_prompts=own)["texture.png"])

    before = pixels(plain["texture.png"])
    assert (painted(1) != before).any(axis=2).mean() > 0.9
    assert np.array_equal(painted(2), before), "there is no such object"


@pytest.mark.parametrize("method", [Method.SYNC, Method.GRID_SYNC])
def test_an_object_can_have_loras_of_its_own(studio, method) -> None:
    """Where it is all that there is, they are the texture's, bit for bit."""
    style = (Lora("style", 1.0, ((0.0, 1.0), (1.0, 0.5))),)

    def painted(**asked) -> np.ndarray:
        return pixels(studio.run(method=method, **asked)["texture.png"])

    own = (ObjectPrompt(1, Prompt(), loras=style),)
    assert np.array_equal(painted(object_prompts=own), painted(loras=style))
    off = (ObjectPrompt(1, Prompt(), loras=(Lora("style", 0.0),)),)
    assert np.array_equal(painted(loras=style, object_prompts=off), painted())


def test_a_turntable_is_no_finer_than_its_texture() -> None:
    height, width, _ = turntable(torus(16, 8), [(1001, torch.rand(64, 64, 4))]).shape
    assert 3 * 96 <= height < 3 * 110
    assert 4 * 96 <= width < 4 * 110


def test_sdxl_models_texture_too(studio) -> None:
    texture = pixels(studio.run(model="tiny_xl")["texture.png"])
    assert (texture[..., 3] == 255).all()


def test_a_recipe_knows_the_files_from_elsewhere(models, studio) -> None:
    style = models.paths.models / "tiny" / "loras" / "style.safetensors"
    lora = style.with_name("changing.safetensors")
    lora.write_bytes(style.read_bytes())
    facts = json.loads(studio.run(loras=(Lora(str(lora)),))["texture.json"])
    assert set(facts["model"]["files"]) == {str(lora)}
    before = facts["model"]["files"][str(lora)]
    lora.write_bytes(lora.read_bytes() + b" ")  # another file of the same name
    with_other = model_facts(models.load("tiny"), studio.request(loras=(Lora(str(lora)),)))
    assert with_other["files"][str(lora)] != before


def test_guidance_and_loras_follow_their_curves(studio) -> None:
    def painted(guidance: float, lora: Lora, curve: Curve = ()) -> bytes:
        sampling = Sampling(Sampler.DDIM, 3, guidance, 0, guidance_curve=curve)
        return pixels(studio.run(sampling=sampling, loras=(lora,))["texture.png"]).tobytes()

    half, falling = ((0.0, 0.5),), ((0.0, 1.0), (1.0, 0.0))
    plain = painted(4.0, Lora("style"))
    assert painted(4.0, Lora("style", 1.0, half), half) == painted(2.0, Lora("style", 0.5))
    assert painted(4.0, Lora("style"), falling) != plain
    assert painted(4.0, Lora("style", 1.0, falling)) != plain
