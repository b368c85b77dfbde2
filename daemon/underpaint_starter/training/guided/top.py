"""Joint training of the guide's fine path and the denoiser's last block, over cached tops.

Rows with the guide paint the true latents; rows without it keep painting what the denoiser painted
before, so that it loses nothing by learning to let patterns through.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from underpaint_starter.networks.models import Networks, make_scheduler
from underpaint_starter.training.checkpoint import Average
from underpaint_starter.training.guided.clock import Clock
from underpaint_starter.training.guided.patterns import FinePath
from underpaint_starter.training.guided.tops import Tops, crops_of, guide_box
from underpaint_starter.training.guided.window_store import WindowStore
from underpaint_starter.training.losses import fine
from underpaint_starter.training.muon import Optimisers

_RATE = 1.2e-3
_FINE = 3.0  # weight of the fine part of the squared error
_OBJECTS = 3.0  # added weight of objects
_OFF = 5  # one batch in so many has no guide
_FLAT = 0.3  # share of the stage before the learning rate falls
_SIDE = 16  # of crops, in latents


class LastBlock(nn.Module):
    """The denoiser from its last block on."""

    alpha_bar: Tensor

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.up, self.norm, self.out = unet.up_blocks[-1], unet.conv_norm_out, unet.conv_out
        self._unet = [unet]
        alpha_bar = make_scheduler().alphas_cumprod.to(unet.device)
        self.register_buffer("alpha_bar", alpha_bar, False)

    def forward(self, top: dict[str, Tensor], patterns: Tensor | None) -> Tensor:
        """Clean latents by one prediction, with what the guide adds or without."""
        unet, times = self._unet[0], top["times"]
        with torch.no_grad():
            time = unet.time_embedding(unet.time_proj(times).float())
        skip = top["skip1"] if patterns is None else top["skip1"] + patterns
        hidden = self.up(top["hidden"], (top["skip0"], skip), time)
        velocity = self.out(F.silu(self.norm(hidden)))
        alpha = self.alpha_bar[times][:, None, None, None]
        clean: Tensor = alpha.sqrt() * top["noisy"] - (1 - alpha).sqrt() * velocity
        return clean


def teach_top(
    networks: Networks,
    said: Tensor,
    store: WindowStore,
    tops: Tops,
    clock: Clock,
    batch: int,
    average: Average,
) -> None:
    """Train over tops; `said`: what the windows' captions add to the guide's time embedding.
    `average` follows the weights."""
    teacher = LastBlock(copy.deepcopy(networks.unet)).requires_grad_(False)
    block, path = LastBlock(networks.unet), FinePath(networks.controls["guide"])
    weights = [*block.parameters(), *path.parameters()]
    for weight in weights:
        weight.requires_grad_(True)
    optimiser = Optimisers([block, path], _RATE)
    while not clock.done:
        batch_of = _drawn(store, said, tops, batch)
        optimiser.set_rate(clock.rate(_RATE, _FLAT))
        optimiser.zero_grad()
        if clock.step % _OFF == 0:
            with torch.no_grad():
                clean = teacher(batch_of.top, None)
            error = block(batch_of.top, None) - clean
            loss, figures = _loss(error, None), {"kept": _share(error, clean)}
        else:
            error = block(batch_of.top, path(batch_of.guides, batch_of.said)) - batch_of.clean
            loss = _loss(error, batch_of.mask)
            figures = _unexplained(error, batch_of.clean, batch_of.mask)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(weights, 2.0)
        optimiser.step()
        clock.tick(figures)
        average.update(networks.named(), clock.step)
    for weight in weights:
        weight.requires_grad_(False)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Tops, guides (n, 3, h, w) 0..1, codes of words, true latents, masks (n, 1, h/4, w/4)."""

    top: Tops
    guides: Tensor
    said: Tensor
    clean: Tensor
    mask: Tensor


def _drawn(store: WindowStore, said: Tensor, tops: Tops, count: int) -> _Batch:
    """A crop, at one place, of random windows: the last block sees no further than this."""
    rows = torch.randint(0, len(tops["times"]), (count,), device=said.device)
    room = tops["noisy"].shape[-1] - _SIDE + 1
    y, x = (int(number) for number in torch.randint(0, room, (2,)))
    top = crops_of(tops, rows, y, x, _SIDE)
    window = top["window"]
    square = (..., slice(y, y + _SIDE), slice(x, x + _SIDE))
    guides = store.images("guide", window, guide_box(y, x, _SIDE))
    clean, mask = store["codes"][window][square].float(), store["mask"][window][square].float()
    return _Batch(top, guides, said[window], clean, mask[:, None])


def _loss(error: Tensor, mask: Tensor | None) -> Tensor:
    weight = 1.0 if mask is None else 1 + _OBJECTS * mask
    return (weight * (error.square() + _FINE * fine(error).square())).mean()


def _share(error: Tensor, clean: Tensor) -> Tensor:
    return error.square().mean() / clean.square().mean()


def _unexplained(error: Tensor, clean: Tensor, mask: Tensor) -> dict[str, Tensor]:
    return {
        "unexplained": (mask * fine(error).square()).sum(),
        "of": (mask * fine(clean).square()).sum(),
    }
