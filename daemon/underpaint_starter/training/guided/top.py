"""Joint training of the guide's fine path and the denoiser's last block, over cached tops.

Rows with the guide paint the true latents; rows without it keep painting what the denoiser painted
before, so that it loses nothing by learning to let patterns through. What squared errors leave
soft, a discriminator makes as strong as it is in true latents: it sees the guide beside them.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from underpaint_starter.networks.models import (
    LATENT_CHANNELS,
    LATENT_FACTOR,
    Networks,
    make_scheduler,
)
from underpaint_starter.scenes.materials import MATERIALS
from underpaint_starter.training.adversary import (
    Adversary,
    Discriminator,
    Weighed,
    balanced_backward,
)
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
_BESIDE = 3 * LATENT_FACTOR**2 + 1  # guide and mask, as the discriminator sees them
_BLUR = 0.15  # on latents, before the discriminator
_TELLING_RATE = 8e-4
_VERDICT = 0.5  # gradients of the discriminator's word, over those of the squared error
_TELLS, _HEARD = 0.5, 0.55  # shares of the stage: from when the discriminator learns, and speaks
_BALANCE = 0.7  # 1: every material's error counts in shares of its own energy; 0: as it is
_SCALES = (0.5, 4.0)


class LastBlock(nn.Module):
    """The denoiser from its last block on."""

    alpha_bar: Tensor

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.up, self.norm, self.out = unet.up_blocks[-1], unet.conv_norm_out, unet.conv_out
        self._unet = [unet]
        alpha_bar = make_scheduler().alphas_cumprod.to(unet.device)
        self.register_buffer("alpha_bar", alpha_bar, False)

    def forward(self, top: dict[str, Tensor], patterns: tuple[Tensor, Tensor] | None) -> Tensor:
        """Clean latents by one prediction, with what the guide adds or without."""
        unet, times = self._unet[0], top["times"]
        with torch.no_grad():
            time = unet.time_embedding(unet.time_proj(times).float())
        skips = (top["skip0"], top["skip1"])
        if patterns is not None:
            skips = (skips[0] + patterns[0], skips[1] + patterns[1])
        hidden = self.up(top["hidden"], skips, time)
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
    adversary, scales = _adversary(said), material_scales(store)
    while not clock.done:
        batch_of = _drawn(store, said, tops, scales, batch)
        optimiser.set_rate(clock.rate(_RATE, _FLAT))
        optimiser.zero_grad()
        if clock.step % _OFF == 0:
            figures = _keep(block, teacher, batch_of.top)
        else:
            told = adversary if clock.fraction > _TELLS else None
            figures = _paint(block, path, batch_of, told, _VERDICT * (clock.fraction > _HEARD))
        torch.nn.utils.clip_grad_norm_(weights, 2.0)
        optimiser.step()
        clock.tick(figures)
        average.update(networks.named(), clock.step)
    for weight in weights:
        weight.requires_grad_(False)


def _adversary(said: Tensor) -> Adversary:
    net = Discriminator(LATENT_CHANNELS + _BESIDE, _BLUR, said.shape[1], width=40)
    return Adversary(net.to(said.device), _TELLING_RATE)


def _keep(block: LastBlock, teacher: LastBlock, top: Tops) -> dict[str, Tensor]:
    """Without a guide: what was painted before."""
    with torch.no_grad():
        clean = teacher(top, None)
    error = block(top, None) - clean
    torch.autograd.backward(_loss(error, torch.ones_like(error[:, :1])))
    return {"kept": error.detach().square().mean() / clean.square().mean()}


def _paint(
    block: LastBlock, path: FinePath, batch: _Batch, adversary: Adversary | None, verdict: float
) -> dict[str, Tensor]:
    """With the guide: the true latents, and as strong as they are. `verdict`: weight of the
    discriminator's word."""
    out = block(batch.top, path(batch.guides, batch.said))
    figures = _unexplained(out.detach(), batch.clean, batch.mask)
    losses: Weighed = {"loss": (lambda o: _loss(o - batch.clean, batch.weight), 1.0)}
    if adversary is not None:
        beside = _beside(batch)
        figures["told"] = adversary.learn(batch.clean, out, beside, batch.said)
        judged = adversary
        losses["verdict"] = (lambda o: judged.verdict(o, beside, batch.said), verdict)
    balanced_backward(out, losses)
    return figures


def _beside(batch: _Batch) -> Tensor:
    """Guide and mask as the discriminator sees them, (n, 3·16 + 1, h/4, w/4)."""
    shown = F.pixel_unshuffle(batch.guides, LATENT_FACTOR)
    return torch.cat((shown, batch.mask), 1).contiguous()


@torch.no_grad()
def material_scales(store: WindowStore) -> Tensor:
    """By material, and last for windows of several things: how much a window's error weighs, so
    that faint patterns are learnt as well as bold ones."""
    labels, masks = store["labels"][:, 0], store["mask"].float()
    shares = torch.cat([_detail(store["codes"][r], masks[r]) for r in _parts(len(labels))])
    means = torch.stack([shares[labels == m].mean() for m in range(len(MATERIALS))])
    means = means.nan_to_num(float(shares.mean()))  # no window shows it yet
    scales = (means.median() / means) ** _BALANCE
    return torch.cat((scales.clamp(*_SCALES), torch.ones(1, device=scales.device)))


def _parts(count: int) -> list[Tensor]:
    return list(torch.split(torch.arange(count), 64))


def _detail(codes: Tensor, masks: Tensor) -> Tensor:
    """Mean energy of detail on objects, (n,), of latents (n, 4, h, w) and masks (n, h, w)."""
    energy = (masks[:, None] * fine(codes.float()).square()).sum((1, 2, 3))
    return energy / masks.sum((1, 2)).clamp_min(1)


@torch.no_grad()
def painted_codes(
    networks: Networks, said: Tensor, store: WindowStore, tops: Tops
) -> tuple[Tensor, Tensor]:
    """What the denoiser makes of the tops at the first time, under the guide: windows (n,) and
    latents (n, 4, h/4, w/4) half."""
    block, path = LastBlock(networks.unet), FinePath(networks.controls["guide"])
    first = (tops["times"] == tops["times"].max()).nonzero()[:, 0]
    found = []
    for part in torch.split(first, 32):
        top = {k: v[part].float() if v.is_floating_point() else v[part] for k, v in tops.items()}
        window = top["window"]
        found.append(block(top, path(store.images("guide", window), said[window])).half())
    return tops["window"][first], torch.cat(found)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Tops, guides (n, 3, h, w) 0..1, codes of words, true latents; masks of objects and weights of
    errors, (n, 1, h/4, w/4)."""

    top: Tops
    guides: Tensor
    said: Tensor
    clean: Tensor
    mask: Tensor
    weight: Tensor


def _drawn(store: WindowStore, said: Tensor, tops: Tops, scales: Tensor, count: int) -> _Batch:
    """A crop, at one place, of random windows: the last block sees no further than this."""
    rows = torch.randint(0, len(tops["times"]), (count,), device=said.device)
    room = tops["noisy"].shape[-1] - _SIDE + 1
    y, x = (int(number) for number in torch.randint(0, room, (2,)))
    top = crops_of(tops, rows, y, x, _SIDE)
    window = top["window"]
    square = (..., slice(y, y + _SIDE), slice(x, x + _SIDE))
    guides = store.images("guide", window, guide_box(y, x, _SIDE))
    clean, mask = store["codes"][window][square].float(), store["mask"][window][square].float()
    heavy = _OBJECTS * scales[store["labels"][window, 0]][:, None, None, None]
    weight = 1 + heavy * mask[:, None]
    return _Batch(top, guides, said[window], clean, mask[:, None], weight)


def _loss(error: Tensor, weight: Tensor) -> Tensor:
    return (weight * (error.square() + _FINE * fine(error).square())).mean()


def _unexplained(out: Tensor, clean: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """Energies of detail on objects: of the error, of what is painted, of the truth."""
    parts = {"unexplained": out - clean, "painted": out, "of": clean}
    return {name: (mask * fine(part).square()).sum() for name, part in parts.items()}
