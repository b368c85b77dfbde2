"""A small network that reads materials off latents, and the loss that it makes possible.

Squared errors want the mean of all textures that a prompt allows, which is flat. What a network
that tells materials apart sees in a window, averaged over it, hardly depends on where the bricks
of a wall lie: paintings are taught to have the same averages (Gatys et al. 2015, "Texture synthesis
using convolutional neural networks", with windows in place of whole pictures). It reads latents,
has seen noisy ones, and has nothing in common with the judge of materials that the evaluation asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from underpaint.errors import ErrorCode, RequestError
from underpaint_starter.judging.texture import MATERIALS
from underpaint_starter.networks.models import LATENT_CHANNELS
from underpaint_starter.training.batches import UNKNOWN, Batch, BatchSource
from underpaint_starter.training.checkpoint import load_state, save_state
from underpaint_starter.training.codes import Codes
from underpaint_starter.training.config import AdapterConfig, Precision, Stage, autocast
from underpaint_starter.training.muon import Optimisers
from underpaint_starter.training.progress import Progress

CHECKPOINT = "reader.pt"
_WIDTHS = (32, 64, 96)
_NOISE = 0.7  # the most that is laid on latents of about unit variance
_WINDOW = 8


@dataclass(frozen=True, slots=True)
class ReaderRun:
    """Where and how long."""

    data: Path
    work: Path
    codes: Codes
    device: torch.device
    precision: Precision
    config: AdapterConfig
    seed: int = 0


class Reader(nn.Module):
    """Latents (n, 4, h, w) to features at h, h/2 and h/4, without any normalisation: how strong a
    texture is must tell. `name` gives logits (n, materials, h/4, w/4)."""

    def __init__(self) -> None:
        super().__init__()
        before = (LATENT_CHANNELS, *_WIDTHS)
        self.first = nn.ModuleList(nn.Conv2d(a, b, 3, 1, 1) for a, b in pairwise(before))
        self.second = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for width in _WIDTHS)
        self.names = nn.Conv2d(_WIDTHS[-1], len(MATERIALS), 5, 1, 2)

    def forward(self, latents: Tensor) -> list[Tensor]:
        """Features of every scale."""
        out: list[Tensor] = []
        hidden = latents
        for first, second in zip(self.first, self.second, strict=True):
            hidden = F.avg_pool2d(hidden, 2) if out else hidden
            hidden = F.leaky_relu(first(hidden), 0.2)
            hidden = hidden + F.leaky_relu(second(hidden), 0.2)
            out.append(hidden)
        return out

    def name(self, latents: Tensor) -> Tensor:
        """Logits over MATERIALS, four latents apart."""
        logits: Tensor = self.names(self(latents)[-1])
        return logits


def texture_loss(reader: Reader, out: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """How far what the reader sees in windows of `out` is, in mean and in spread, from what it
    sees in `target`: latents (n, 4, h, w); mask (n, 1, h, w): objects weigh four times the rest."""
    losses = []
    with torch.no_grad():
        seen = reader(target)
    for mine, true in zip(reader(out), seen, strict=True):
        window = min(_WINDOW, *true.shape[-2:])
        weight = _averages(1 + 3 * F.adaptive_avg_pool2d(mask, true.shape[-2:]), window)
        scale = true.std((0, 2, 3), keepdim=True) + 1e-3
        mine, true = mine / scale, true / scale
        means = _averages(mine, window) - _averages(true, window)
        spreads = _spread(mine, window) - _spread(true, window)
        errors = means.abs() + spreads.abs()
        losses.append((weight * errors).mean() / weight.mean())
    return torch.stack(losses).mean()


def _averages(features: Tensor, window: int) -> Tensor:
    return F.avg_pool2d(features, window, max(1, window // 2))


def _spread(features: Tensor, window: int) -> Tensor:
    variance = _averages(features.square(), window) - _averages(features, window).square()
    return (variance.clamp(min=0) + 1e-3).sqrt()


def train_reader(run: ReaderRun) -> Reader:
    """Train or resume; the log tells the share of places that are named rightly."""
    torch.manual_seed(run.seed)
    config, reader = run.config, Reader().to(run.device)
    optimiser = Optimisers([reader], config.learning_rate)
    state = load_state(run.work / CHECKPOINT, {"reader": reader}, optimiser)
    progress = Progress("reader", run.work, config.minutes, config.steps, state)
    stage = Stage(config.size, config.batch, 1.0, crops=0.5)
    seed = run.seed + progress.step
    source = iter(BatchSource(run.data, run.work / "cache", stage, run.codes, seed))
    while not progress.done:
        optimiser.set_rate(config.learning_rate * (1.02 - progress.fraction))
        batch = next(source)
        with autocast(run.device, run.precision):
            logits = reader.name(_noisy(batch.codes.to(run.device))).float()
        names = _names(batch, logits.shape[-2:]).to(run.device)
        loss = F.cross_entropy(logits, names, ignore_index=UNKNOWN)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        if progress.advance(loss=float(loss.detach()), wrong=1 - _right(logits, names)):
            progress.report()
            save_state(run.work / CHECKPOINT, {"reader": reader}, optimiser, progress.state(), {})
    return reader


def load_reader(work: Path) -> Reader:
    """The finished reader of a work folder, without gradients.

    Raises RequestError(FILE) before the reader part is done.
    """
    path = work / CHECKPOINT
    if not path.exists():
        raise RequestError(ErrorCode.FILE, f"{path} is missing: run the reader part first")
    reader = Reader()
    state = torch.load(path, map_location="cpu", weights_only=True)
    reader.load_state_dict(state["reader"])
    return reader.requires_grad_(False).eval()


def _noisy(latents: Tensor) -> Tensor:
    level = _NOISE * torch.rand(len(latents), 1, 1, 1, device=latents.device) ** 2
    return latents + level * torch.randn_like(latents)


def _names(batch: Batch, size: tuple[int, ...] | torch.Size) -> Tensor:
    step = batch.materials.shape[-1] // size[-1]
    return batch.materials[:, step // 2 :: step, step // 2 :: step]


def _right(logits: Tensor, names: Tensor) -> float:
    known = names != UNKNOWN
    return float((logits.argmax(1) == names)[known].float().mean()) if bool(known.any()) else 1.0
