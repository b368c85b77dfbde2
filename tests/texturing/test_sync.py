"""Synchronised denoising with a network that knows the truth but for an error of its own."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from underpaint.requests import Sampler, Sampling
from underpaint_daemon.common.job_contract import JobCancelled
from underpaint_daemon.worker.texturing.views.correspondence import Correspondence
from underpaint_daemon.worker.texturing.views.denoiser import Turning
from underpaint_daemon.worker.texturing.views.multiview import Run, denoise_views
from underpaint_daemon.worker.texturing.views.noise import SurfaceNoise
from underpaint_daemon.worker.texturing.views.schedule import SyncSchedule
from underpaint_daemon.worker.texturing.views.sync import Synchroniser
from underpaint_daemon.worker.texturing.views.x0 import level_at

from helpers.meshes.sync_scene import disagreement, torus, truth_of, views_of

torch.set_num_threads(1)
STEPS = 12
CONFIG = {
    "num_train_timesteps": 1000,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "prediction_type": "epsilon",
    "timestep_spacing": "trailing",
}


class Reporter:
    """Counts how often it is asked, and stops at one of them if told to."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.asked, self.shown, self.told = 0, 0, []
        self.stop_at = stop_at

    def raise_if_cancelled(self) -> None:
        self.asked += 1
        if self.asked == self.stop_at:
            raise JobCancelled

    def progress(self, phase, step, total) -> None:
        self.told.append((step, total))

    def enough(self) -> bool:
        return False

    def wants_preview(self) -> bool:
        return True

    def preview(self, step, image, index=0) -> None:
        self.shown += 1

    def warn(self, message) -> None:
        raise AssertionError(message)


class KnowingNetwork(Turning):
    """Predicts each view's own truth plus an error that is fixed for the view."""

    channels, memory, turn = 4, None, None

    def __init__(self, truth, error: float, config) -> None:
        generator = torch.Generator().manual_seed(5)
        self._clean = [t + error * torch.randn(t.shape, generator=generator) for t in truth]
        self._config = config

    def predict(self, station, scaled, timestep, progress):
        from underpaint_daemon.worker.pipelines.samplers import make_scheduler

        pattern = make_scheduler(self._config, Sampler.DDIM, STEPS)
        pattern.set_timesteps(STEPS)
        return level_at(pattern, timestep).from_x0(scaled, self._clean[station.number])


@pytest.fixture(scope="module")
def views():
    return views_of(torus(), 48)


def run_of(views, rewrite, reporter, sampler=Sampler.DDIM):
    place = SimpleNamespace(device=torch.device("cpu"), dtype=torch.float32)
    stations = [SimpleNamespace(number=i, latent=v) for i, v in enumerate(views)]
    return Run(
        model=SimpleNamespace(place=place, scheduler_config=CONFIG, flow=False, own_schedule=False),
        sampling=Sampling(sampler, STEPS, 1.0, 3),
        stations=stations,
        noise=SurfaceNoise.build(views),
        rewrite=rewrite,
        reporter=reporter,
        show=lambda clean: (np.zeros((8, 8, 3), np.uint8), 0),
        total=STEPS * len(views),
    )


def painted(views, error, operator, reporter=None, sampler=Sampler.DDIM):
    schedule = SyncSchedule(until=1.0)
    hook = Synchroniser([v.mask for v in views], operator, None, schedule)
    run = run_of(views, hook, reporter or Reporter(), sampler)
    return denoise_views(run, KnowingNetwork(truth_of(views), error, CONFIG))


def test_views_end_much_closer_together_than_alone(views) -> None:
    operator = Correspondence.build(views)
    alone = disagreement(operator, painted(views, 0.3, None))
    synced = disagreement(operator, painted(views, 0.3, operator))
    assert alone / synced > 2.0


@pytest.mark.parametrize("sampler", [Sampler.DDIM, Sampler.DDPM])
def test_a_network_without_error_ends_at_the_truth(views, sampler) -> None:
    operator = Correspondence.build(views)
    for end, truth, view in zip(
        painted(views, 0.0, operator, sampler=sampler), truth_of(views), views, strict=True
    ):
        assert (end - truth)[..., view.mask].square().mean().sqrt() < 0.05


def test_the_same_seed_is_bit_for_bit_the_same(views) -> None:
    operator = Correspondence.build(views)
    once, again = (painted(views, 0.3, operator) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))


def test_every_step_tells_previews_and_can_be_stopped(views) -> None:
    operator = Correspondence.build(views)
    reporter = Reporter()
    painted(views, 0.1, operator, reporter)
    assert reporter.told[-1] == (STEPS * len(views), STEPS * len(views))
    assert reporter.shown == STEPS
    assert reporter.asked >= STEPS
    with pytest.raises(JobCancelled):
        painted(views, 0.1, operator, Reporter(stop_at=9))


def test_views_are_let_go_at_the_end_so_that_detail_returns(views) -> None:
    schedule = SyncSchedule()
    weights = [schedule.sync_weight(step, 30) for step in range(30)]
    assert weights[:24] == [1.0] * 24
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == 0.0
    exponents = [schedule.exponent(step, 30) for step in range(24)]
    assert exponents[0] == 1.0
    assert exponents[-1] == pytest.approx(4.0)
