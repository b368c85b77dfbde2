"""Textures by models that diffusers' own pipelines call: one network, one step, view by view."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from underpaint.buffers import Buffers, Kind
from underpaint.paths import Paths
from underpaint.requests import (
    Lora,
    Method,
    ObjectPrompt,
    Prompt,
    Reference,
    ReferenceRole,
    Sampler,
    Sampling,
)
from underpaint_daemon.common.job_contract import JobCancelled
from underpaint_daemon.tools.evals.meshes import mesh_ref
from underpaint_daemon.tools.miniatures import MINIATURES
from underpaint_daemon.worker.pipelines.denoise import steadied
from underpaint_daemon.worker.pipelines.families import Task
from underpaint_daemon.worker.pipelines.families.base import Ask
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.components import make_scheduler
from underpaint_daemon.worker.pipelines.making import make_pipeline
from underpaint_daemon.worker.pipelines.memory import Tier
from underpaint_daemon.worker.pipelines.spaces import packed, unpacked
from underpaint_daemon.worker.texturing.job.painting import Inputs, stations_of
from underpaint_daemon.worker.texturing.job.runner import prepared
from underpaint_daemon.worker.texturing.views.multiview import Run, denoise_views
from underpaint_daemon.worker.texturing.views.noise import SurfaceNoise
from underpaint_daemon.worker.texturing.views.remembered import Encodings, Readings

from helpers.meshes.sync_scene import torus, two_objects
from helpers.painting.studio import photo
from helpers.painting.texture_studio import Reporter, Studio, pixels

torch.set_num_threads(1)
STEPS, VIEWS, SIDE = 3, 2, 64
FAMILIES = (
    "sd35", "flux1", "flux1_control", "flux1_kontext", "flux2_klein", "qwen_image",
    "qwen_edit_plus", "z_image", "sana",
)  # fmt: skip
SMALL = {
    "sampling": Sampling(Sampler.EULER, STEPS, 3.0, 1),
    "view_count": VIEWS,
    "view_size": SIDE,
    "size": SIDE,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelCache]:
    root = tmp_path_factory.mktemp("flowing")
    cache = ModelCache(Paths(runtime=root / "run", data=root, cache=root / "cache"))
    yield cache
    cache.unload()


def studio(models: ModelCache, name: str) -> Studio:
    if not (models.paths.models / name).exists():
        MINIATURES[name](models.paths.models / name)
    buffers = Buffers()
    return Studio(models, mesh_ref(two_objects(torus(16, 8)), buffers), buffers)


def by_itself(inputs: Inputs, noise: Tensor) -> Tensor:
    """The same view as the family's pipeline paints it, from the same noise, in one call."""
    station, model = stations_of(inputs, count=1)[0], inputs.model
    family, sampling = model.family, inputs.sampling
    network = station.conditioning.network if station.conditioning.networks else None
    scheduler = make_scheduler(model, sampling.sampler)
    pipe = make_pipeline(model, Task.TEXT, network, scheduler)
    arguments = {
        **station.regions[0].embedding,
        **family.controlled(station.conditioning.arguments(family.control_argument[Task.TEXT])),
        "height": SIDE,
        "width": SIDE,
        "num_inference_steps": STEPS,
        **family.arguments(
            Ask(Task.TEXT, sampling.guidance, station.size, station.beside.pictures)
        ),
        "latents": noise if family.patches == 1 else packed(noise, family.patches),
        "generator": torch.Generator("cpu").manual_seed(0),
        "output_type": "latent",
        "return_dict": False,
    }
    seen: list[Tensor] = []
    step = scheduler.step

    def noted(*said, **named):  # the last sample, before anything is laid out anew
        made = step(*said, **named)
        seen.append(made[0])
        return made

    scheduler.step = noted
    known = inspect.signature(type(pipe).__call__).parameters
    with torch.no_grad(), steadied(sampling.seed, torch.device("cpu")):
        pipe(**{key: value for key, value in arguments.items() if key in known})
    image = unpacked(seen[-1].float(), family.patches, station.size)
    assert image is not None
    return image


@pytest.mark.parametrize("name", FAMILIES)
def test_a_view_alone_is_what_the_familys_pipeline_paints(models: ModelCache, name: str) -> None:
    desk = studio(models, name)
    request = desk.request(model=name, **SMALL)
    with prepared(request, desk.buffers, Reporter(), models.load(name), Tier.FULL) as inputs:
        stations = stations_of(inputs, count=1)
        noise = SurfaceNoise.build([station.latent for station in stations])
        run = Run(
            inputs.model, inputs.sampling, stations, noise,
            rewrite=lambda clean, _step, _steps: clean, reporter=Reporter(credit=False),
            show=lambda _clean: (pixels_of_nothing(), 0),
        )  # fmt: skip
        (painted,) = denoise_views(run, inputs.denoiser)
        (drawn,) = noise.draw(inputs.sampling.seed, inputs.denoiser.channels)
        alone = by_itself(inputs, drawn)
    torch.testing.assert_close(painted, alone, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "pictures"),
    [("flux1", 1), ("flux1_control", 1), ("flux2_klein", 2), ("qwen_image", 1)],
)
def test_a_views_pictures_are_encoded_once_and_paint_the_same_bits(
    models: ModelCache, name: str, pictures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, model = studio(models, name), models.load(name)
    told = {"model": name, **SMALL, "method": Method.SINGLE}
    if name == "flux2_klein":
        shown = desk.buffers.add(Kind.COLOR, photo(64, 64))
        told["references"] = (Reference(ReferenceRole.STYLE, shown),)
    seen: list[int] = []
    hook = model.vae.encoder.register_forward_hook(lambda *_: seen.append(1))
    kept = desk.run(**told)
    once, seen[:] = len(seen), []
    monkeypatch.setattr(Encodings, "of", lambda _self, _vae: nullcontext())
    anew = desk.run(**told)
    hook.remove()
    # With each call: one for the schedule, one a step; the rest (backgrounds) is once a job.
    assert len(seen) - once == STEPS * pictures
    assert digest(kept["texture.png"]) == digest(anew["texture.png"])


def test_words_are_read_together_with_a_views_pictures_once(
    models: ModelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Qwen's editors, whose text encoder sees the pictures."""
    name = "qwen_edit_plus"
    desk, model = studio(models, name), models.load(name)
    told = {"model": name, **SMALL, "method": Method.SINGLE}
    seen: list[int] = []
    hook = model.parts["text_encoder"].register_forward_hook(lambda *_: seen.append(1))
    kept = desk.run(**told)
    once, seen[:] = len(seen), []
    monkeypatch.setattr(Readings, "of", lambda *_: None)
    anew = desk.run(**told)
    hook.remove()
    assert once == 2, "the words, and the negative ones"
    assert len(seen) == 1 + 2 * STEPS, "the schedule is asked for without guidance"
    assert digest(kept["texture.png"]) == digest(anew["texture.png"])


def pixels_of_nothing() -> NoReturn:
    raise AssertionError("no preview was asked for")


def test_it_goes_on_after_a_stop_to_the_same_bits(models: ModelCache) -> None:
    desk = studio(models, "flux1")
    asked = {"model": "flux1", **SMALL, "upscale": 2}
    whole = desk.run(**asked)
    with pytest.raises(JobCancelled):
        desk.run(Reporter(stop_after=VIEWS * 2), **asked)
    rest = Reporter()
    again = desk.run(rest, **asked)
    assert rest.steps[0][0] == VIEWS * 2 + 1
    assert digest(again["texture.png"]) == digest(whole["texture.png"])


def test_objects_have_their_own_prompts_and_loras(models: ModelCache) -> None:
    desk = studio(models, "sana")
    asked = {"model": "sana", **SMALL}
    own = (ObjectPrompt(2, Prompt("blue glass")),)
    styled = (replace(own[0], prompt=Prompt(), loras=(Lora("style"),)),)
    plain, told, wearing = (
        pixels(desk.run(**asked, object_prompts=prompts)["texture.png"])
        for prompts in ((), own, styled)
    )
    assert (plain != told).mean() > 0.1
    assert (plain != wearing).mean() > 0.1
    assert (told != wearing).mean() > 0.1


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
