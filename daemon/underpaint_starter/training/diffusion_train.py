"""Joint training from scratch of denoiser, ControlNets and text encoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from underpaint_starter.networks.models import (
    LATENT_CHANNELS,
    LATENT_FACTOR,
    TEXT_WIDTH,
    Networks,
    make_networks,
)
from underpaint_starter.training.adversary import (
    Adversary,
    Discriminator,
    Weighed,
    balanced_backward,
)
from underpaint_starter.training.batches import Batch, BatchSource
from underpaint_starter.training.checkpoint import Average, load_state, save_state
from underpaint_starter.training.codes import Codes
from underpaint_starter.training.config import DiffusionConfig, Precision, Stage, autocast
from underpaint_starter.training.losses import denoising_loss, detail_loss
from underpaint_starter.training.muon import Optimisers
from underpaint_starter.training.problems import Mix, Problem, ProblemMaker, predict
from underpaint_starter.training.progress import Progress
from underpaint_starter.training.reader import load_reader, texture_loss

# Shares of training steps on the first sampling step, and on later ones that come from the
# networks' own guesses; the rest are true pictures with noise, as in painting over a picture. A
# small network paints best at once, and worse the more it trusts what it made of noise before.
FIRST, CARRIED_ON = 0.35, 0.45
AVERAGE_EVERY = 4  # steps; averaging costs a pass over all weights
_BLUR = 0.5  # on latents of unit variance
CHECKPOINT, DISCRIMINATOR = "diffusion.pt", "discriminator.pt"
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
        self, run: DiffusionRun, config: DiffusionConfig, tokenizer: CLIPTokenizer
    ) -> None:
        self.run, self.config, self.tokenizer = run, config, tokenizer
        self.maker = ProblemMaker(tokenizer, run.device)
        self.networks = make_networks(tokenizer).to(run.device)
        weights = [w for net in self.networks.named().values() for w in net.parameters()]
        self.weights = weights
        self.optimiser = Optimisers(self.networks.named().values(), config.learning_rate)
        self.average = Average(self.networks.named(), config.ema**AVERAGE_EVERY)
        judge = Discriminator(LATENT_CHANNELS + 4, _BLUR, TEXT_WIDTH)
        self.adversary = Adversary(judge.to(run.device))
        self.reader = load_reader(run.work).to(run.device)
        self.predict = torch.compile(self._predict) if run.compile else self._predict

    def step(self, batch: Batch, rate: float, stage: Stage) -> dict[str, Tensor]:
        """One optimiser step at a learning rate, by the stage's losses. Returns the losses."""
        self.optimiser.set_rate(rate)
        mix = Mix.of(len(batch.captions))
        with autocast(self.run.device, self.run.precision):
            problem = self._problem(batch, mix)
            out = self.predict(problem, mix).float()
        weighed: Weighed = {
            "loss": (lambda v: denoising_loss(v, problem.target, problem.mask), 1.0)
        }
        told = self._add_sharpness(weighed, problem, out, stage)
        self.optimiser.zero_grad()
        losses = balanced_backward(out, weighed)
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.step()
        return losses | told

    def _problem(self, batch: Batch, mix: Mix) -> Problem:
        problem, drawn = self.maker.make(batch), float(torch.rand(()))
        if drawn >= FIRST + CARRIED_ON:
            return problem
        first = self.maker.blank(problem)
        if drawn < FIRST:
            return first
        with torch.no_grad():
            guess = self.predict(first, mix)
        return self.maker.carried_on(problem, guess.float())

    def _add_sharpness(
        self, weighed: Weighed, problem: Problem, out: Tensor, stage: Stage
    ) -> dict[str, Tensor]:
        """Add the stage's losses against softness; teaches the discriminator, and returns how
        well it tells true from painted."""
        if not stage.details + stage.textures + stage.adversary:
            return {}
        true = problem.clean(problem.target)
        weighed["details"] = (
            lambda v: detail_loss(problem.clean(v), true, problem.mask),
            stage.details,
        )
        if stage.textures:
            weighed["textures"] = (
                lambda v: texture_loss(self.reader, problem.clean(v), true, problem.mask),
                stage.textures,
            )
        if not stage.adversary:
            return {}
        beside, text = self._conditions(problem)
        weighed["verdict"] = (
            lambda v: self.adversary.verdict(problem.clean(v), beside, text),
            stage.adversary,
        )
        return {"told": self.adversary.learn(true, problem.clean(out), beside, text)}

    @torch.no_grad()
    def _conditions(self, problem: Problem) -> tuple[Tensor, Tensor]:
        """What the discriminator knows: controls at the latents' size, and the caption."""
        controls = torch.cat((problem.depth[:, :1], problem.normal), 1)
        small = 2 * torch.nn.functional.avg_pool2d(controls, LATENT_FACTOR) - 1
        hidden = self.networks.text(problem.tokens).last_hidden_state
        end = self.networks.text.config.eos_token_id
        ends = (problem.tokens == end).int().argmax(1, keepdim=True)
        said = torch.arange(problem.tokens.shape[1], device=ends.device)[None] <= ends
        weight = said[..., None] / said.sum(1)[:, None, None]
        return small, (weight * hidden).sum(1)

    def _predict(self, problem: Problem, mix: Mix) -> Tensor:
        return predict(self.networks, problem, mix)


def train_diffusion(
    run: DiffusionRun,
    config: DiffusionConfig,
    tokenizer: CLIPTokenizer,
    codes: Codes,
    report: Report,
) -> Trainer:
    """Train or resume through all stages. `report(networks, progress)` is called each minute
    with the averaged networks and returns figures for the log."""
    torch.manual_seed(run.seed)
    trainer = Trainer(run, config, tokenizer)
    named = trainer.networks.named()
    path = run.work / CHECKPOINT
    state = load_state(path, named, trainer.optimiser, trainer.average.values)
    trainer.adversary.load(run.work / DISCRIMINATOR)
    progress = Progress("diffusion", run.work, config.minutes, config.steps, state)
    while not progress.done:
        stage, end = stage_at(config.stages, progress.fraction)
        for batch in BatchSource(
            run.data, run.work / "cache", stage, codes, seed=run.seed + progress.step
        ):
            losses = trainer.step(batch, learning_rate(config, progress), stage)
            if progress.step % AVERAGE_EVERY == 0:
                trainer.average.update(named, progress.step // AVERAGE_EVERY)
            if progress.advance(**losses):
                figures = report(averaged(trainer), progress)
                progress.report(size=stage.size, **figures)
                trainer.adversary.save(run.work / DISCRIMINATOR)
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


def learning_rate(config: DiffusionConfig, progress: Progress, warm: int = 100) -> float:
    """Warm-up, a long plateau, and a cosine fall over the last 60 % of the run."""
    fall = max(0.0, (progress.fraction - 0.4) / 0.6)
    shape = 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * fall))
    return config.learning_rate * min(1.0, (progress.step + 1) / warm) * shape
