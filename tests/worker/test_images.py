"""Text-to-image and image-to-image as a user meets them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from underpaint.buffers import Kind
from underpaint.cameras import Camera
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    Prompt,
    Sampler,
    Sampling,
    View,
)
from underpaint_daemon.common.job_contract import JobCancelled, Phase
from underpaint_daemon.worker.pipelines.latents import to_image8
from underpaint_daemon.worker.pipelines.samplers import make_scheduler

from helpers.painting.denoiser_calls import Asked, answering, asked_of
from helpers.painting.studio import IDENTITY, Recorder, Studio, photo
from helpers.painting.tiny_model import STEPS

ASKED = ImageRequest(Prompt("a red cube", "blue"), model="tiny", width=64, height=64)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b).mean())


def read(studio: Studio, *texts: str) -> torch.Tensor:
    """Texts of one window, as the model's encoder reads them: (n, length, width)."""
    parts = studio.models.load("tiny").parts
    ids = parts["tokenizer"](list(texts), padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        return parts["text_encoder"](ids).last_hidden_state


def test_the_same_request_twice_is_the_same_picture_bit_for_bit(studio: Studio) -> None:
    first, second = studio.paint(ASKED)[0], studio.paint(ASKED)[0]
    assert first.shape == (64, 64, 3)
    assert np.array_equal(first, second)


def test_each_seed_begins_with_its_own_noise(studio: Studio) -> None:
    for seed in (0, 1, 7):
        with asked_of(studio.models.load("tiny").unet) as calls:
            studio.paint(replace(ASKED, sampling=Sampling(seed=seed)))
        noise = torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(seed))
        assert all(torch.equal(half, noise[0]) for half in calls[0].latents), seed


def test_a_picture_does_not_depend_on_the_batch_it_comes_in(studio: Studio) -> None:
    batch = studio.paint(replace(ASKED, batch=3, sampling=Sampling(seed=5)))
    alone = studio.paint(replace(ASKED, sampling=Sampling(seed=7)))[0]
    assert len(batch) == 3
    assert np.array_equal(batch[2], alone)


def test_every_sampler_paints_what_the_network_knows_and_leaves_no_trace(studio: Studio) -> None:
    model = studio.models.load("tiny")
    kept = make_scheduler(model.scheduler_config, Sampler.DDPM).alphas_cumprod
    answer = torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        pixels = model.vae.decode(answer / model.vae.config.scaling_factor).sample
    known = to_image8((pixels / 2 + 0.5).clamp(0, 1)[0])

    def velocity(asked: Asked) -> torch.Tensor:
        signal = kept[round(asked.timestep)].sqrt()
        noise = (1 - signal**2).sqrt()
        return signal * (asked.latents - signal * answer) / noise - noise * answer

    before = studio.paint(ASKED)[0]
    for sampler in Sampler:
        with answering(model.unet, velocity):
            picture = studio.paint(replace(ASKED, sampling=Sampling(sampler=sampler, steps=6)))[0]
        assert difference(picture, known) < 2, sampler
    assert known.std() > 5, "a flat picture would show nothing"
    assert difference(before, known) > 10
    assert np.array_equal(before, studio.paint(ASKED)[0])


@pytest.mark.parametrize("size", [(72, 104), (64, 200), (125, 83), (67, 201)])
def test_any_size_comes_out_as_asked(studio: Studio, size: tuple[int, int]) -> None:
    picture = studio.paint(replace(ASKED, width=size[0], height=size[1]))[0]
    assert picture.shape == (size[1], size[0], 3)


def test_the_network_is_shown_the_negative_and_the_prompt_as_the_encoder_reads_them(
    studio: Studio,
) -> None:
    with asked_of(studio.models.load("tiny").unet) as calls:
        studio.paint(ASKED)
    assert len(calls) == STEPS
    for call in calls:
        assert torch.allclose(call.words, read(studio, "blue", "a red cube"), atol=1e-5)


def test_guidance_goes_so_far_from_the_negative_towards_the_prompt(studio: Studio) -> None:
    unet = studio.models.load("tiny").unet

    def painted(guidance: float, *said: float) -> np.ndarray:
        def answer(asked: Asked) -> torch.Tensor:
            assert len(asked.latents) == len(said)
            return torch.ones_like(asked.latents) * torch.tensor(said)[:, None, None, None]

        with answering(unet, answer):
            return studio.paint(replace(ASKED, sampling=Sampling(guidance=guidance)))[0]

    assert difference(painted(1.5, 0.1, 0.4), painted(1.5, 0.55, 0.55)) < 0.1
    assert difference(painted(3.0, 0.1, 0.4), painted(3.0, 1.0, 1.0)) < 0.1
    assert difference(painted(1.0, 0.4), painted(1.5, 0.4, 0.4)) < 0.1, "1: the prompt alone"
    assert difference(painted(1.0, 0.4), painted(1.0, 1.0)) > 1


def test_a_long_prompt_is_read_to_its_end_in_windows(studio: Studio) -> None:
    text = "a red stone cube " * 3 + "blue"
    parts = studio.models.load("tiny").parts
    ids, length = parts["tokenizer"](text, add_special_tokens=False).input_ids, 16
    windows = [ids[i : i + length - 2] for i in range(0, len(ids), length - 2)]
    assert len(windows) > 2
    begin, end = 0, 1
    framed = [[begin, *window, end, *[end] * (length - 2 - len(window))] for window in windows]
    with torch.no_grad():
        told = parts["text_encoder"](torch.tensor(framed)).last_hidden_state
    with asked_of(studio.models.load("tiny").unet) as calls:
        studio.paint(replace(ASKED, prompt=Prompt(text)))
    expected = told.reshape(1, len(windows) * length, -1)
    assert all(torch.allclose(call.words[1:], expected, atol=1e-5) for call in calls)


def test_strength_says_how_much_of_the_start_image_stays(studio: Studio) -> None:
    start = photo()
    asked = replace(ASKED, init=studio.buffers.add(Kind.COLOR, start))

    def seeds_differ(strength: float) -> float:
        one, two = (
            studio.paint(replace(asked, strength=strength, sampling=Sampling(seed=seed)))[0]
            for seed in (1, 2)
        )
        return difference(one, two)

    assert seeds_differ(0.01) < 0.8 * seeds_differ(1.0)
    assert np.array_equal(studio.paint(replace(asked, strength=0.0))[0], start)


def test_a_view_of_an_odd_size_is_painted_and_a_start_of_it_comes_back(studio: Studio) -> None:
    depth = np.linspace(1, 5, 125 * 83, dtype=np.float32).reshape(83, 125)
    camera = Camera(IDENTITY, IDENTITY, 125, 83, 0.1, 10)
    view = View(camera, depth=studio.buffers.add(Kind.DEPTH, depth))
    asked = replace(ASKED, width=125, height=83, view=view, controls=(Control(ControlKind.DEPTH),))
    assert studio.paint(asked)[0].shape == (83, 125, 3)
    start = photo(125, 83)
    init = studio.buffers.add(Kind.COLOR, start)
    assert np.array_equal(studio.paint(replace(asked, init=init, strength=0.0))[0], start)


def test_a_start_image_of_another_size_is_fitted(studio: Studio) -> None:
    init = studio.buffers.add(Kind.COLOR, photo(100, 40, channels=4))
    assert studio.paint(replace(ASKED, init=init))[0].shape == (64, 64, 3)


def test_progress_rises_through_the_phases_and_previews_come_when_wanted(studio: Studio) -> None:
    told = Recorder()
    pictures = studio.paint(replace(ASKED, batch=2), told)
    steps = [step for phase, step, _ in told.told if phase is Phase.DENOISING]
    assert steps == list(range(2 * STEPS + 1))
    phases = list(dict.fromkeys(phase for phase, _, _ in told.told))
    assert phases == [
        Phase.LOADING,
        Phase.ENCODING,
        Phase.DENOISING,
        Phase.DECODING,
        Phase.SAVING,
    ]
    assert [step for step, _ in told.previews] == [*steps[1:], steps[-1]]
    assert told.previews[0][1].shape == (64, 64, 3)
    last = [shown for step, shown in told.previews if step == steps[-1]]
    assert np.array_equal(last, pictures), "those of the last step are the pictures themselves"
    quiet = Recorder(credit=False)
    studio.run(ASKED, quiet)
    assert not quiet.previews


def test_cancelling_in_the_middle_stops_there_and_the_next_job_runs(studio: Studio) -> None:
    before = studio.paint(ASKED)[0]
    told = Recorder(cancel_at=3)
    with pytest.raises(JobCancelled):
        studio.run(ASKED, told)
    assert told.steps == 3
    assert np.array_equal(before, studio.paint(ASKED)[0])


def test_weights_in_a_prompt_act_and_brackets_are_not_painted(studio: Studio) -> None:
    def painted(text: str) -> bytes:
        return studio.paint(replace(ASKED, prompt=Prompt(text)))[0].tobytes()

    plain = painted("a red cube")
    assert painted("a (red:1.0) cube") == plain
    assert painted(r"a \(red\) cube") != painted("a (red) cube")
    weighted = [
        plain,
        painted("a (red:1.6) cube"),
        painted("a [red] cube"),
        painted("a red BREAK cube"),
    ]
    assert len(set(weighted)) == len(weighted)
    assert painted("a ((red)) cube") == painted("a (red:1.21) cube")


def test_choices_are_settled_by_the_seed_and_stand_in_the_recipe(studio: Studio) -> None:
    asked = replace(ASKED, prompt=Prompt("a {red|blue} ball"), sampling=Sampling(steps=1, seed=3))
    (recipe,) = (a for a in studio.run(asked) if a.name == "image_0.json")
    said = json.loads(recipe.data)["request"]["prompt"]["text"]
    assert said in ("a red ball", "a blue ball")
    again = studio.paint(replace(asked, prompt=Prompt(said)))[0]
    assert np.array_equal(studio.paint(asked)[0], again)
