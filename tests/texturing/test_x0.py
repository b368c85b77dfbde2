"""Any sampler can be steered by rewriting what its network said."""

from __future__ import annotations

import copy

import pytest
import torch

from underpaint.requests import Sampler
from underpaint_daemon.worker.pipelines.samplers import make_scheduler
from underpaint_daemon.worker.texturing.views.steps import take_step
from underpaint_daemon.worker.texturing.views.x0 import level_at

torch.set_num_threads(1)
STEPS = 6
MODELS = {
    "epsilon": {"prediction_type": "epsilon", "timestep_spacing": "leading"},
    "velocity": {"prediction_type": "v_prediction", "timestep_spacing": "leading"},
    "zero terminal signal": {
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
    },
}


def config(model: str) -> dict[str, object]:
    base = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    return {"num_train_timesteps": 1000, **base, **MODELS[model]}


def run(scheduler, target: torch.Tensor) -> torch.Tensor:
    """Denoise with a network that says nonsense, rewritten to mean `target` at every step."""
    generator = torch.Generator().manual_seed(0)
    scheduler.set_timesteps(STEPS)
    sample = torch.randn(target.shape, generator=generator) * getattr(
        scheduler, "init_noise_sigma", 1.0
    )
    for timestep in scheduler.timesteps:
        said = torch.randn(target.shape, generator=generator)
        level = level_at(scheduler, timestep)
        back = level.from_x0(sample, level.to_x0(sample, said))
        torch.testing.assert_close(back, said, rtol=1e-2, atol=2e-3 / max(level.signal, 1e-3))
        rewritten = level.from_x0(sample, target)
        noise = torch.randn(target.shape, generator=generator)
        sample = take_step(scheduler, rewritten, timestep, sample, noise)
    return sample


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("sampler", list(Sampler))
def test_rewritten_outputs_lead_every_sampler_to_the_target(sampler: Sampler, model: str) -> None:
    target = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(7))
    end = run(make_scheduler(config(model), sampler, STEPS), target)
    # Some samplers end a little above zero noise, by design.
    assert (end - target).abs().max() < 0.15


@pytest.mark.parametrize("sampler", [Sampler.EULER, Sampler.UNIPC, Sampler.DPMPP_2M])
def test_flow_models_are_led_too(sampler: Sampler) -> None:
    target = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(7))
    flow = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}
    end = run(make_scheduler(flow, sampler, STEPS), target)
    assert (end - target).abs().max() < (1e-4 if sampler is Sampler.EULER else 0.15)


@pytest.mark.parametrize("sampler", [Sampler.DDPM, Sampler.EULER_A, Sampler.DPMPP_2M_SDE])
def test_the_noise_of_a_step_is_the_one_given(sampler: Sampler) -> None:
    scheduler = make_scheduler(config("epsilon"), sampler, STEPS)
    scheduler.set_timesteps(STEPS)
    generator = torch.Generator().manual_seed(1)
    sample, said, noise = (torch.randn(1, 4, 8, 8, generator=generator) for _ in range(3))
    timestep, twin = scheduler.timesteps[0], copy.deepcopy(scheduler)
    sample = sample * scheduler.init_noise_sigma
    with_noise = take_step(scheduler, said, timestep, sample, noise)
    without = take_step(twin, said, timestep, sample, torch.zeros_like(noise))
    added = with_noise - without
    amount = (added * noise).sum() / (noise * noise).sum()
    assert amount > 0
    torch.testing.assert_close(added, amount * noise, rtol=1e-3, atol=1e-3)
