"""Text-to-image and image-to-image as a user meets them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

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

from helpers.painting.studio import IDENTITY, Recorder, Studio, photo
from helpers.painting.tiny_model import STEPS

ASKED = ImageRequest(Prompt("a red cube", "blue"), model="tiny", width=64, height=64)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b).mean())


def test_the_same_request_twice_is_the_same_picture_bit_for_bit(studio: Studio) -> None:
    first, second = studio.paint(ASKED)[0], studio.paint(ASKED)[0]
    other_seed = studio.paint(replace(ASKED, sampling=Sampling(seed=1)))[0]
    assert first.shape == (64, 64, 3)
    assert np.array_equal(first, second)
    assert difference(first, other_seed) > 1


def test_a_picture_does_not_depend_on_the_batch_it_comes_in(studio: Studio) -> None:
    batch = studio.paint(replace(ASKED, batch=3, sampling=Sampling(seed=5)))
    alone = studio.paint(replace(ASKED, sampling=Sampling(seed=7)))[0]
    assert len(batch) == 3
    assert np.array_equal(batch[2], alone)


def test_every_sampler_paints_and_leaves_no_trace(studio: Studio) -> None:
    before = studio.paint(ASKED)[0]
    seen = []
    for sampler in Sampler:
        picture = studio.paint(replace(ASKED, sampling=Sampling(sampler=sampler, steps=6)))[0]
        assert picture.std() > 5, sampler
        seen.append(picture.tobytes())
    assert np.array_equal(before, studio.paint(ASKED)[0])
    assert len(set(seen)) >= 8


@pytest.mark.parametrize("size", [(72, 104), (64, 200), (125, 83), (67, 201)])
def test_any_size_comes_out_as_asked(studio: Studio, size: tuple[int, int]) -> None:
    picture = studio.paint(replace(ASKED, width=size[0], height=size[1]))[0]
    assert picture.shape == (size[1], size[0], 3)


def test_prompt_negative_and_guidance_each_matter(studio: Studio) -> None:
    base = studio.paint(ASKED)[0]
    for change in (
        replace(ASKED, prompt=Prompt("a blue ball", "blue")),
        replace(ASKED, prompt=Prompt("a red cube", "stone")),
        replace(ASKED, sampling=Sampling(guidance=1.0)),
    ):
        assert not np.array_equal(base, studio.paint(change)[0])


def test_the_end_of_a_long_prompt_still_counts(studio: Studio) -> None:
    words = "a red stone cube " * 10
    long = studio.paint(replace(ASKED, prompt=Prompt(words + "blue")))[0]
    other = studio.paint(replace(ASKED, prompt=Prompt(words + "ball")))[0]
    assert not np.array_equal(long, other)


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
