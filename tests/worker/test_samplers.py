"""Samplers and previews, judged by a network that knows the answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from underpaint.requests import Sampler, Spacing
from underpaint_daemon.worker.pipelines.samplers import make_scheduler
from underpaint_daemon.worker.pipelines.watch import predicted_original

from helpers.painting.studio import Studio

SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
}
EPSILON = {**SCHEDULE, "prediction_type": "epsilon"}
ZERO_SNR = {**SCHEDULE, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True}


def noise_levels(scheduler: object, index: int, timestep: torch.Tensor) -> tuple[float, float]:
    """Signal and noise of the sample at a step, from the scheduler's own tables."""
    if hasattr(scheduler, "sigmas"):
        sigma = float(scheduler.sigmas[index])
        a = (1 + sigma**2) ** -0.5
        return a, sigma * a
    kept = float(scheduler.alphas_cumprod[int(timestep)])
    return kept**0.5, (1 - kept) ** 0.5


@pytest.mark.parametrize("config", [EPSILON, ZERO_SNR], ids=["epsilon", "zero_snr_v"])
@pytest.mark.parametrize("sampler", list(Sampler))
def test_a_network_that_knows_the_answer_reaches_it_and_previews_show_it_from_the_start(
    sampler: Sampler, config: dict[str, object]
) -> None:
    generator = torch.Generator().manual_seed(3)
    answer = torch.randn((1, 4, 8, 8), generator=generator)
    scheduler = make_scheduler(config, sampler, steps=12)
    scheduler.set_timesteps(12)
    in_sigma_units = sampler in (Sampler.EULER, Sampler.EULER_A)
    sample = torch.randn(answer.shape, generator=generator) * scheduler.init_noise_sigma
    for i, t in enumerate(scheduler.timesteps):
        scheduler.scale_model_input(sample, t)
        a, s = noise_levels(scheduler, i, t)
        x = sample * a if in_sigma_units else sample
        noise = (x - a * answer) / s
        velocity = config["prediction_type"] == "v_prediction"
        output = a * noise - s * answer if velocity else noise
        extra = (
            {}
            if sampler in (Sampler.DPMPP_2M, Sampler.DPMPP_2M_KARRAS, Sampler.UNIPC)
            else {"generator": generator}
        )
        after = scheduler.step(output, t, sample, **extra).prev_sample
        shown = predicted_original(scheduler, output, sample, t)
        assert torch.allclose(shown, answer, atol=2e-2), (i, float((shown - answer).abs().max()))
        sample = after
    # DDPM, LCM and an untrailed DDIM stop a hair before the end of the noise.
    assert float((sample - answer).abs().mean()) < 0.05


def test_a_sampler_takes_the_models_noise_and_nothing_else() -> None:
    foreign = {**ZERO_SNR, "use_karras_sigmas": True, "clip_sample": True, "thresholding": True}
    scheduler = make_scheduler(foreign, Sampler.DDIM)
    assert scheduler.config.clip_sample is False
    assert scheduler.config.timestep_spacing == "trailing"
    assert scheduler.config.prediction_type == "v_prediction"
    assert not make_scheduler(foreign, Sampler.DPMPP_2M).config.use_karras_sigmas
    assert make_scheduler(foreign, Sampler.DPMPP_2M_KARRAS).config.use_karras_sigmas


def test_lcm_takes_more_steps_than_its_training_schedule() -> None:
    scheduler = make_scheduler(ZERO_SNR, Sampler.LCM, steps=80)
    scheduler.set_timesteps(80)
    assert len(scheduler.timesteps) == 80


@pytest.mark.parametrize("steps", [1, 4, 20, 80])
def test_a_model_that_learnt_its_first_step_alone_takes_all_of_them_from_noise(steps: int) -> None:
    scheduler = make_scheduler(ZERO_SNR, Sampler.LCM, steps, Spacing.FIRST)
    scheduler.set_timesteps(steps)
    times = scheduler.timesteps.tolist()
    assert times[0] == 999, "the first is from pure noise"
    assert len(set(times)) == steps
    assert min(times) >= 900
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("sampler", "strength"), [(Sampler.LCM, 0.5), (Sampler.DDIM, 1.0), (Sampler.EULER, 0.3)]
)
def test_what_begins_from_a_picture_or_needs_every_noise_level_is_spaced_as_the_model_has_it(
    sampler: Sampler, strength: float
) -> None:
    first, plain = (
        make_scheduler(ZERO_SNR, sampler, 4, spacing, strength) for spacing in (Spacing.FIRST, None)
    )
    for scheduler in (first, plain):
        scheduler.set_timesteps(4)
    assert first.timesteps.tolist() == plain.timesteps.tolist()


def test_the_latent_preview_is_fitted_once_and_remembered(studio: Studio) -> None:
    model = studio.models.load("tiny")
    shown = model.preview(torch.zeros((1, 4, 8, 12)))
    assert shown.shape == (8, 12, 3)
    file = model.cache / "previews" / f"{model.digest}.npy"
    assert np.array_equal(np.load(file), model.preview.matrix)
