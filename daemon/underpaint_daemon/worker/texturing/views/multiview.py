"""Denoising several views step by step together, with a hook that may rewrite what each view's
network believes the clean picture to be."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint_daemon.common.defaults.settle import Settled
from underpaint_daemon.common.job_contract import Phase, Reporter
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel, make_scheduler
from underpaint_daemon.worker.pipelines.loading.networks import exact_device
from underpaint_daemon.worker.pipelines.precision import check_finite
from underpaint_daemon.worker.pipelines.steps import active_steps, scheduled_steps

from .denoiser import Denoiser
from .noise import SurfaceNoise
from .pipeline_denoiser import PipelineDenoiser
from .resume import Journal, put_state
from .stations import Station
from .steps import take_step
from .x0 import level_at

Image8 = npt.NDArray[np.uint8]
_NOISE_STRIDE = 7919
AnyDenoiser = Denoiser | PipelineDenoiser


class Rewrite(Protocol):
    """Rewrites clean latents of all views at a step of `steps`: those of full strength, of which
    a denoising at part strength takes the last."""

    def __call__(self, clean: list[Tensor], step: int, steps: int) -> list[Tensor]: ...


@dataclass(frozen=True, slots=True)
class Run:
    """One denoising of several views. start: latents to begin from (None = pure noise), kept to
    the degree that `strength` is below 1. show: a picture of clean latents and its number. done,
    total: view-steps taken before, and in the whole job. number: of this denoising in `journal`."""

    model: LoadedModel
    sampling: Settled
    stations: Sequence[Station]
    noise: SurfaceNoise
    rewrite: Rewrite
    reporter: Reporter
    show: Callable[[Sequence[Tensor]], tuple[Image8, int]]
    strength: float = 1.0
    start: Sequence[Tensor] | None = None
    reference_weight: Callable[[int, int], float] = lambda _step, _steps: 0.0
    done: int = 0
    total: int = 0
    journal: Journal = field(default_factory=Journal)
    number: int = 0

    @property
    def steps(self) -> int:
        """Steps that are taken."""
        return active_steps(self.sampling.steps, self.strength, flow=self.model.flow)

    @property
    def scheduled(self) -> int:
        """Steps that full strength would take."""
        return scheduled_steps(self.sampling.steps, self.strength, flow=self.model.flow)

    @property
    def first(self) -> int:
        return self.scheduled - self.steps


@torch.no_grad()
def denoise_views(run: Run, denoiser: AnyDenoiser) -> list[Tensor]:
    """Clean latents (1, C, h, w) float32 of every view. Raises JobCancelled from within.

    Each view has a sampler of its own, so that all samplers work as they are. A denoising that the
    journal knows goes on from where it stood.
    """
    if (known := run.journal.finished(run.number)) is not None:
        return known
    device = exact_device(run.model.place.device)
    pattern, timesteps = _schedule(run, denoiser)
    samplers = [copy.deepcopy(pattern) for _ in run.stations]
    stood = run.journal.standing(run.number)
    if stood is None:
        taken, latents = 0, _begin(run, pattern, denoiser.channels, timesteps[:1])
    else:
        taken, latents = stood.step, [latent.to(device) for latent in stood.latents]
        for sampler, state in zip(samplers, stood.samplers, strict=True):
            put_state(sampler, state, device)
    for step, timestep in list(enumerate(timesteps))[taken:]:
        denoiser.start_step(step, run.steps)
        latents, clean = _step_all(run, denoiser, samplers, latents, step, timestep)
        if run.reporter.enough():
            latents = clean
            break
        run.journal.step(run.number, step + 1, latents, samplers, pattern)
    for latent in latents:
        check_finite(latent, run.model)
    run.journal.finish(run.number, latents)
    denoiser.end()
    if denoiser.memory is not None:
        denoiser.memory.forget()
    return latents


def _schedule(run: Run, denoiser: AnyDenoiser) -> tuple[Any, Tensor]:
    """A sampler before its first step, and the timesteps that it will take.

    Of flow matching the last steps of the family's own schedule are taken, as its pipelines do;
    others get a schedule of their own of that part of the noise.
    """
    device, sampling = exact_device(run.model.place.device), run.sampling
    if isinstance(denoiser, PipelineDenoiser):
        pattern, first = denoiser.scheduler(run.stations[0], run.scheduled), run.first
    else:
        first = 0
        pattern = make_scheduler(
            run.model, sampling.sampler, run.steps, sampling.spacing, run.strength
        )
        pattern.set_timesteps(run.steps, device=device)
    if hasattr(pattern, "set_begin_index"):
        pattern.set_begin_index(first)
    return pattern, pattern.timesteps[first:].to(device)


def _begin(run: Run, scheduler: Any, channels: int, at: Tensor) -> list[Tensor]:
    device = exact_device(run.model.place.device)
    noise = [n.to(device) for n in run.noise.draw(run.sampling.seed, channels)]
    if run.start is None:
        return [n * getattr(scheduler, "init_noise_sigma", 1.0) for n in noise]
    return [
        _noised(scheduler, clean.to(device).float(), n, at)
        for clean, n in zip(run.start, noise, strict=True)
    ]


def _noised(scheduler: Any, clean: Tensor, noise: Tensor, at: Tensor) -> Tensor:
    if hasattr(scheduler, "scale_noise"):  # its name in flow matching
        mixed: Tensor = scheduler.scale_noise(clean, at, noise)
        return mixed
    mixed = scheduler.add_noise(clean, noise, at)
    return mixed


def _scaled(sampler: Any, latents: Tensor, timestep: Any) -> Tensor:
    if not hasattr(sampler, "scale_model_input"):  # in flow matching nothing is scaled
        return latents
    scaled: Tensor = sampler.scale_model_input(latents, timestep)
    return scaled


def _step_all(
    run: Run,
    denoiser: AnyDenoiser,
    samplers: Sequence[Any],
    latents: list[Tensor],
    step: int,
    timestep: Any,
) -> tuple[list[Tensor], list[Tensor]]:
    """The views' next latents, and the clean ones that they believe in."""
    planned = run.first + step, run.scheduled
    if denoiser.memory is not None:
        denoiser.memory.start_step(run.reference_weight(*planned))
    denoiser.look(run.stations[0], samplers[0], timestep, (step, run.steps))
    levels = [level_at(sampler, timestep) for sampler in samplers]
    clean = []
    for i, station in enumerate(run.stations):
        run.reporter.raise_if_cancelled()
        scaled = _scaled(samplers[i], latents[i], timestep)
        output = denoiser.predict(station, scaled, timestep, (step, run.steps))
        clean.append(levels[i].to_x0(latents[i], output))
        told = run.done + step * len(run.stations) + i + 1
        run.reporter.progress(Phase.DENOISING, told, run.total)
    clean = run.rewrite(clean, *planned)
    if run.reporter.wants_preview():
        told = run.done + (step + 1) * len(run.stations)
        run.reporter.preview(told, *run.show(clean))
    seed = run.sampling.seed + _NOISE_STRIDE * (step + 1)
    noise = run.noise.draw(seed, denoiser.channels)
    following = [
        take_step(
            samplers[i],
            levels[i].from_x0(latents[i], clean[i]),
            timestep,
            latents[i],
            noise[i].to(latents[i]),
        )
        for i in range(len(latents))
    ]
    return following, clean
