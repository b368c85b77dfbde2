"""Training a few added weights over the finished, frozen networks: LoRA and IP-Adapter."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import CLIPTokenizer

from underpaint.errors import ErrorCode, RequestError
from underpaint_starter.networks.models import Networks, make_networks
from underpaint_starter.training.batches import Batch, BatchSource
from underpaint_starter.training.codes import Codes
from underpaint_starter.training.config import AdapterConfig, Precision, Stage, autocast
from underpaint_starter.training.progress import Progress

RELEASED = "released.pt"  # the averaged networks of a finished diffusion run


@dataclass(frozen=True, slots=True)
class FinetuneRun:
    """Where and how long."""

    data: Path
    work: Path
    codes: Codes
    device: torch.device
    precision: Precision
    config: AdapterConfig
    seed: int = 0


def frozen_networks(work: Path, tokenizer: CLIPTokenizer, device: torch.device) -> Networks:
    """The finished networks of a work folder, without gradients.

    Raises RequestError(FILE) before the diffusion part is done.
    """
    path = work / RELEASED
    if not path.exists():
        raise RequestError(ErrorCode.FILE, f"{path} is missing: run the diffusion part first")
    networks = make_networks(tokenizer)
    weights = torch.load(path, map_location="cpu", weights_only=True)
    for name, net in networks.named().items():
        net.load_state_dict(weights[name])
        net.requires_grad_(False)
    return networks.to(device)


def finetune(
    name: str, run: FinetuneRun, weights: list[nn.Parameter], loss_of: Callable[[Batch], Tensor]
) -> None:
    """Fit `weights` to batches of the run's size; a stopped run goes on from its last minute."""
    config = run.config
    torch.manual_seed(run.seed)
    optimiser = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=0.01)
    path = run.work / f"{name}.pt"
    progress = Progress(name, run.work, config.minutes, config.steps, _load(path, weights))
    stage = Stage(config.size, config.batch, 1.0)
    seed = run.seed + progress.step
    source = iter(BatchSource(run.data, run.work / "cache", stage, run.codes, seed))
    while not progress.done:
        _set_rate(optimiser, config.learning_rate, progress)
        with autocast(run.device, run.precision):
            loss = loss_of(next(source))
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        if progress.advance(loss=float(loss.detach())):
            progress.report()
            state = {"weights": [weight.detach() for weight in weights]}
            torch.save({**state, "progress": progress.state()}, path)


def _set_rate(optimiser: torch.optim.Optimizer, peak: float, progress: Progress) -> None:
    shape = 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * progress.fraction))
    for group in optimiser.param_groups:
        group["lr"] = peak * min(1.0, (progress.step + 1) / 50) * shape


@torch.no_grad()
def _load(path: Path, weights: list[nn.Parameter]) -> dict[str, float]:
    if not path.exists():
        return {}
    state = torch.load(path, map_location="cpu", weights_only=True)
    for weight, value in zip(weights, state["weights"], strict=True):
        weight.copy_(value)
    progress: dict[str, float] = state["progress"]
    return progress
