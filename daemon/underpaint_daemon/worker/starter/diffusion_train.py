"""Joint training from scratch of denoiser, ControlNets and text encoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from underpaint_daemon.worker.starter.batches import Batch, BatchSource
from underpaint_daemon.worker.starter.checkpoint import Average, load_state, save_state
from underpaint_daemon.worker.starter.config import (
    DiffusionConfig,
    Precision,
    Stage,
    autocast,
)
from underpaint_daemon.worker.starter.losses import denoising_loss
from underpaint_daemon.worker.starter.models import Networks, make_networks
from underpaint_daemon.worker.starter.muon import Optimisers
from underpaint_daemon.worker.starter.pca import PatchPca
from underpaint_daemon.worker.starter.problems import Mix, Problem, ProblemMaker, predict
from underpaint_daemon.worker.starter.progress import Progress

CARRIED_ON = 0.4  # share of steps on the networks' own guesses
AVERAGE_EVERY = 4  # steps; averaging costs a pass over all weights
CHECKPOINT = "diffusion.pt"
Report = Callable[[Networks, Progress], dict[str, float]]


@dataclass(frozen=True, slots=True)
class DiffusionRun:
    """Where and how denoisers are trained."""

    data: Path
    work: Path
    device: torch.device
    precision: Precision
    compile: bool
    seed: int = 0


class Trainer:
    """The networks, their optimiser and average, and one training step."""

    def __init__(
        self, run: DiffusionRun, config: DiffusionConfig, tokenizer: CLIPTokenizer, pca: PatchPca
    ) -> None:
        self.run, self.config, self.tokenizer = run, config, tokenizer
        self.maker = ProblemMaker(tokenizer, pca, run.device)
        self.networks = make_networks(tokenizer).to(run.device)
        weights = [w for net in self.networks.named().values() for w in net.parameters()]
        self.weights = weights
        self.optimiser = Optimisers(self.networks.named().values(), config.learning_rate)
        self.average = Average(self.networks.named(), config.ema**AVERAGE_EVERY)
        self.predict = torch.compile(self._predict) if run.compile else self._predict

    def step(self, batch: Batch, rate: float) -> float:
        """One optimiser step at a learning rate; returns the loss."""
        self.optimiser.set_rate(rate)
        with autocast(self.run.device, self.run.precision):
            out, target, mask = self._forward(batch)
        loss = denoising_loss(out.float(), target, mask)
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.step()
        return float(loss.detach())

    def _forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        problem, mix = self.maker.make(batch), Mix.of(len(batch.captions))
        if torch.rand(()) < CARRIED_ON:
            with torch.no_grad():
                guess = self.predict(self.maker.blank(problem), mix)
            problem = self.maker.carried_on(problem, guess.float())
        return self.predict(problem, mix), problem.target, problem.mask

    def _predict(self, problem: Problem, mix: Mix) -> Tensor:
        return predict(self.networks, problem, mix)


def train_diffusion(
    run: DiffusionRun,
    config: DiffusionConfig,
    tokenizer: CLIPTokenizer,
    pca: PatchPca,
    report: Report,
) -> Trainer:
    """Train or resume through all stages. `report(networks, progress)` is called each minute
    with the averaged networks and returns figures for the log."""
    torch.manual_seed(run.seed)
    trainer = Trainer(run, config, tokenizer, pca)
    named = trainer.networks.named()
    path = run.work / CHECKPOINT
    state = load_state(path, named, trainer.optimiser, trainer.average.values)
    progress = Progress("diffusion", run.work, config.minutes, config.steps, state)
    while not progress.done:
        stage, end = stage_at(config.stages, progress.fraction)
        for batch in BatchSource(
            run.data, run.work / "cache", stage, seed=run.seed + progress.step
        ):
            loss = trainer.step(batch, learning_rate(config, progress))
            if progress.step % AVERAGE_EVERY == 0:
                trainer.average.update(named, progress.step // AVERAGE_EVERY)
            if progress.advance(loss):
                figures = report(averaged(trainer), progress)
                progress.report(size=stage.size, **figures)
                save_state(path, named, trainer.optimiser, progress.state(), trainer.average.values)
            if progress.fraction >= end:
                break
    return trainer


def averaged(trainer: Trainer) -> Networks:
    """Fresh networks with the averaged weights."""
    networks = make_networks(trainer.tokenizer)
    for name, net in networks.named().items():
        net.load_state_dict(trainer.average.values[name])
        net.eval()
    return networks.to(trainer.run.device)


def stage_at(stages: tuple[Stage, ...], fraction: float) -> tuple[Stage, float]:
    """The stage at a point of the run (0..1) and where it ends."""
    end = 0.0
    for stage in stages:
        end += stage.share
        if fraction < end - 1e-9:
            return stage, end
    return stages[-1], 1.0


def learning_rate(config: DiffusionConfig, progress: Progress, warm: int = 150) -> float:
    """Warm-up, a long plateau, and a cosine fall over the last 60 % of the run."""
    fall = max(0.0, (progress.fraction - 0.4) / 0.6)
    shape = 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * fall))
    return config.learning_rate * min(1.0, (progress.step + 1) / warm) * shape
