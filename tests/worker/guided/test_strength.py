"""Strength: where in the noise a start image's denoising begins, whatever the sampler and model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from underpaint.requests import Sampler
from underpaint_daemon.worker.pipelines.samplers import make_scheduler

SD = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "timestep_spacing": "leading",
}
ZERO_SNR = {**SD, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
# Noise that comes early, as in schedules for large pictures.
SHIFTED = {**SD, "beta_start": 0.004, "beta_end": 0.03, "beta_schedule": "linear"}


def noise_at_start(config: dict, sampler: Sampler, strength: float, steps: int) -> float:
    """How much a start image is noised, as a standard deviation of the whole, 0..1."""
    scheduler = make_scheduler(config, sampler, steps, strength=strength)
    scheduler.set_timesteps(steps)
    clean, noise = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)
    at = scheduler.timesteps[:1]
    kept = float(scheduler.add_noise(clean, noise, at))
    added = float(scheduler.add_noise(noise, clean, at))
    return added / float(np.hypot(kept, added))


@pytest.mark.parametrize("sampler", list(Sampler))
@pytest.mark.parametrize("strength", [0.1, 0.3, 0.55, 0.8])
def test_denoising_begins_exactly_at_the_strength_however_few_the_steps(
    sampler: Sampler, strength: float
) -> None:
    kept = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2, 0)
    asked = float((1 - kept[round(strength * 1000) - 1]).sqrt())
    for steps in (1, 4, 20):
        assert noise_at_start(SD, sampler, strength, steps) == pytest.approx(asked, abs=0.02)


@pytest.mark.parametrize("config", [ZERO_SNR, SHIFTED])
def test_models_with_other_schedules_keep_as_much_of_a_picture(config: dict) -> None:
    for sampler in (Sampler.LCM, Sampler.DDIM, Sampler.EULER, Sampler.DPMPP_2M_KARRAS):
        for strength in (0.3, 0.6):
            found = noise_at_start(config, sampler, strength, 4)
            assert found == pytest.approx(noise_at_start(SD, sampler, strength, 4), abs=0.03)


def test_more_strength_is_more_noise_to_the_end() -> None:
    levels = [noise_at_start(ZERO_SNR, Sampler.LCM, s, 4) for s in (0.02, 0.2, 0.5, 0.8, 0.95)]
    assert levels == sorted(levels)
    assert levels[0] < 0.2
    assert levels[-1] > 0.95
