"""The model that ships: what only trained weights can show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from underpaint.buffers import Kind
from underpaint.requests import (
    STARTER_MODEL,
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Prompt,
    Sampler,
    Sampling,
    UpscaleRequest,
    View,
)
from underpaint_daemon.common.models import inspect, starter_folder
from underpaint_daemon.worker.pipelines.canvas import resize
from underpaint_daemon.worker.pipelines.latents import decode_latents, encode_images, from_image8

from helpers.painting.studio import Recorder, Studio, ball_view, photo

SIDE = 128
ASKED = ImageRequest(
    Prompt("a red ball"),
    model=STARTER_MODEL,
    width=SIDE,
    height=SIDE,
    controls=(Control(ControlKind.DEPTH),),
)


@pytest.fixture(scope="module")
def ball(studio: Studio) -> View:
    return ball_view(studio.buffers, SIDE, SIDE)


def inside(view: View, studio: Studio) -> np.ndarray:
    return np.isfinite(studio.buffers[view.depth.sha256])


def redness(picture: np.ndarray) -> np.ndarray:
    channels = picture.astype(float)
    return channels[..., 0] - channels[..., 1:].mean(-1)


@pytest.mark.parametrize("sampler", [Sampler.DPMPP_2M, Sampler.DPMPP_2M_KARRAS, Sampler.EULER])
def test_depth_puts_the_prompts_colour_where_the_form_is(
    studio: Studio, ball: View, sampler: Sampler
) -> None:
    asked = replace(ASKED, view=ball, sampling=Sampling(sampler=sampler))
    red = redness(studio.paint(asked)[0])
    form = inside(ball, studio)
    assert red[form].mean() > red[~form].mean() + 40


def test_previews_show_the_picture_from_the_first_step(studio: Studio, ball: View) -> None:
    told = Recorder()
    picture = studio.paint(replace(ASKED, view=ball), told)[0].astype(float)
    form = inside(ball, studio)
    for _, shown in told.previews:
        red = redness(shown)
        assert red[form].mean() > red[~form].mean() + 30
    blank = np.abs(picture - picture.mean((0, 1))).mean()
    assert np.abs(told.previews[-1][1] - picture).mean() < 0.5 * blank


def test_pictures_pass_through_the_latents_and_the_linear_preview(studio: Studio) -> None:
    model = studio.models.load(STARTER_MODEL)
    smooth = torch.nn.functional.interpolate(
        from_image8(photo(8, 8)), (SIDE, SIDE), mode="bicubic"
    ).clamp(0, 1)
    latents = encode_images(model.vae, smooth)
    decoded = decode_latents(model.vae, latents)
    assert float((decoded - smooth).abs().mean()) < 0.05
    shown = torch.nn.functional.avg_pool2d(smooth, SIDE // latents.shape[-1])
    assert float((from_image8(model.preview(latents)) - shown).abs().mean()) < 0.08


def test_less_strength_keeps_more_of_the_start_image(studio: Studio, ball: View) -> None:
    """With the controls that the starter is asked with unless told otherwise, and on the thing
    that the prompt speaks of: what is behind it hardly hangs on the words at any strength."""
    controls = (Control(ControlKind.DEPTH), Control(ControlKind.GUIDE, 1.7))
    asked = replace(ASKED, view=ball, controls=controls, sampling=Sampling(seed=9))
    start = studio.paint(replace(asked, prompt=Prompt("a blue ball"), sampling=Sampling()))[0]
    asked = replace(asked, init=studio.buffers.add(Kind.COLOR, start))
    form = inside(ball, studio)
    little, some, full = (
        np.abs(studio.paint(replace(asked, strength=s))[0].astype(int) - start)[form].mean()
        for s in (0.15, 0.3, 1.0)
    )
    assert little < some <= 0.35 * full


def test_new_paint_follows_the_prompt_and_the_rest_is_untouched(studio: Studio, ball: View) -> None:
    start = studio.paint(replace(ASKED, view=ball))[0]
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[44:84, 44:84] = 255
    request = InpaintRequest(
        Prompt("a green ball"),
        studio.buffers.add(Kind.COLOR, start),
        studio.buffers.add(Kind.MASK, mask),
        model=STARTER_MODEL,
        view=ball,
        controls=ASKED.controls,
    )
    painted = studio.paint(request)[0]
    assert np.array_equal(painted[mask == 0], start[mask == 0])
    assert redness(painted)[50:78, 50:78].mean() < redness(start)[50:78, 50:78].mean() - 60


def test_the_starter_draws_no_noise_over_a_picture_that_it_enlarges(studio: Studio) -> None:
    image = photo(40, 30, 3)
    ref, recorder = studio.buffers.add(Kind.COLOR, image), Recorder()
    asked = UpscaleRequest(Prompt("a red ball"), ref, STARTER_MODEL, strength=0.35)
    (enlarged,) = studio.paint(asked, recorder)
    assert np.array_equal(enlarged, resize(image, (60, 80)))
    assert any("enlarged as it is" in said for said in recorder.warnings)


def test_the_starter_says_the_size_it_was_trained_for() -> None:
    assert inspect(STARTER_MODEL, starter_folder()).native_size == 256
