"""SDXL hands a picture over to its refiner before the noise is out, as the refiner is published to
be used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline

from underpaint.buffers import Kind
from underpaint.errors import RequestError
from underpaint.requests import (
    HANDOFF,
    ImageRequest,
    Prompt,
    Refiner,
    Sampler,
    Sampling,
    Spacing,
)
from underpaint_daemon.worker.pipelines.loading.components import make_scheduler

from helpers.painting.studio import Recorder, Studio, photo, picture
from helpers.painting.tiny_edits import build_refiner
from helpers.painting.tiny_model import build_xl

STEPS = 10


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    root = tmp_path_factory.mktemp("handoff")
    return str(build_xl(root / "xl")), str(build_refiner(root / "refiner"))


def asked(models: tuple[str, str], handoff: float | None = HANDOFF, **more) -> ImageRequest:
    sampling = Sampling(more.pop("sampler", Sampler.EULER), STEPS, 3.0, 7, Spacing.TRAILING)
    second = Refiner(models[1], handoff=handoff)
    request = ImageRequest(
        Prompt("a red cube"), models[0], 64, 64, sampling, controls=(), refiner=second
    )
    return replace(request, **more)


@pytest.mark.parametrize("sampler", [Sampler.EULER, Sampler.DPMPP_2M_KARRAS, Sampler.DDIM])
def test_it_is_what_diffusers_two_pipelines_paint(
    studio: Studio, models: tuple[str, str], sampler: Sampler
) -> None:
    made = studio.paint(asked(models, sampler=sampler))[0]
    base, refiner = (studio.models.load(name) for name in models)
    common = {"prompt": "a red cube", "num_inference_steps": STEPS, "guidance_scale": 3.0}
    schedules = [make_scheduler(one, sampler, STEPS, Spacing.TRAILING) for one in (base, refiner)]
    first = StableDiffusionXLPipeline.from_pretrained(models[0], scheduler=schedules[0])
    second = StableDiffusionXLImg2ImgPipeline.from_pretrained(models[1], scheduler=schedules[1])
    seeded = torch.Generator().manual_seed(7)
    latents = first(
        **common, height=64, width=64, denoising_end=0.8, output_type="latent", generator=seeded
    ).images
    seeded = torch.Generator().manual_seed(7)
    expected = second(
        **common, image=latents, denoising_start=0.8, output_type="np", generator=seeded
    ).images[0]
    assert np.abs(made - expected * 255).max() <= 1.5


def test_every_picture_of_a_request_is_handed_over(studio: Studio, models: tuple[str, str]) -> None:
    told = Recorder()
    files = studio.run(asked(models, batch=2), told)
    both = [picture(file) for file in files if file.media == "image/png"]
    alone = studio.paint(asked(models, sampling=replace(asked(models).sampling, seed=8)))
    assert np.array_equal(both[1], alone[0])
    recipe = json.loads(next(file.data for file in files if file.name == "image_0.json"))
    assert recipe["request"]["refiner"]["handoff"] == HANDOFF
    assert recipe["request"]["refiner"]["sampling"]["steps"] == STEPS
    assert recipe["model"]["refiner"]["family"] == "sdxl_refiner"
    steps = [(step, total) for phase, step, total in told.told if phase == "denoising"]
    assert all(step <= total for step, total in steps)
    assert {total for _, total in steps} == {16, 2}, "8 of 10 steps of each, and 2"


def test_another_part_gives_another_picture(studio: Studio, models: tuple[str, str]) -> None:
    made = [studio.paint(asked(models, part))[0].tobytes() for part in (None, 0.8, 0.4)]
    assert len(set(made)) == 3


def test_when_it_is_enough_the_picture_stays_with_the_first(
    studio: Studio, models: tuple[str, str]
) -> None:
    told = Recorder(enough_at=3)
    (made,) = studio.paint(asked(models), told)
    assert made.shape == (64, 64, 3)
    assert told.steps == 3


def test_what_cannot_be_handed_over_is_refused_before_it_is_painted(
    studio: Studio, models: tuple[str, str], paths, tmp_path: Path
) -> None:
    told = Recorder()
    with pytest.raises(RequestError, match="cannot hand a picture with noise"):
        studio.run(replace(asked(models), model="tiny"), told)
    start = studio.buffers.add(Kind.COLOR, photo())
    with pytest.raises(RequestError, match="for pictures from words alone"):
        studio.run(replace(asked(models), init=start), told)
    assert told.steps == 0
