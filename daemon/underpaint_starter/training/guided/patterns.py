"""What pattern a word makes of the guide, learnt without a denoiser.

Painting a pattern is a local function of guide and words. A few convolutions learn it from small
crops in minutes; a whole denoiser, whose picture hangs on noise, form and light as well, does not.
The joint training (`top`) then has to let the patterns through.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from underpaint_starter.networks.models import LATENT_FACTOR, Networks
from underpaint_starter.training.guided.clock import Clock
from underpaint_starter.training.guided.window_store import WindowStore
from underpaint_starter.training.guided.word_codes import ALOUD, WordCodes
from underpaint_starter.training.losses import fine

_RATE = 2e-3
_SIDE = 16  # of crops, in latents
_STEEPNESS = 12.0  # of the guide's first features
_FILM = 0.03  # standard deviation of the weights by which words multiply features, at the start
_SPOKEN = 1  # the guide's output that carries patterns: of its first block
_RAW = 0  # and the one that carries what the guide shows, before words are heard


@torch.no_grad()
def begin_guide(networks: Networks) -> None:
    """A guide that can learn fast. Its first features are hinges spread over each channel's range,
    of which any function of it is made; it speaks through its first block alone, and what it says
    hangs neither on noise nor on time."""
    guide: Any = networks.controls["guide"]
    _hinges(guide.controlnet_cond_embedding.conv_in)
    for layer in guide.controlnet_cond_embedding.blocks:
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    guide.controlnet_cond_embedding.blocks[0].weight.mul_(3 / _STEEPNESS)
    nn.init.kaiming_normal_(guide.controlnet_cond_embedding.conv_out.weight, nonlinearity="linear")
    guide.controlnet_cond_embedding.conv_out.weight.mul_(3)
    for name, layer in guide.named_modules():
        if name.endswith("time_emb_proj"):
            nn.init.normal_(layer.weight, std=_FILM)
            nn.init.zeros_(layer.bias)
    for weight in guide.controlnet_down_blocks[_RAW].parameters():
        weight.zero_()
    spoken = guide.controlnet_down_blocks[_SPOKEN]
    nn.init.kaiming_normal_(spoken.weight, nonlinearity="linear")
    guide.conv_in.weight.zero_()
    last = guide.time_embedding(guide.time_proj(torch.tensor([999.0], device=guide.device)))[0]
    guide.time_embedding.linear_2.weight.zero_()
    guide.time_embedding.linear_2.bias.copy_(last)


def _hinges(first: nn.Conv2d) -> None:
    """Each output: one channel's pixel, rising or falling from one of several levels."""
    levels = math.ceil(first.out_channels / 6)
    nn.init.zeros_(first.weight)
    assert first.bias is not None
    for row in range(first.out_channels):
        channel, place = row % 3, row // 3
        slope = _STEEPNESS if place % 2 else -_STEEPNESS
        first.weight[row, channel, 1, 1] = slope
        first.bias[row] = -slope * (place // 2 + 0.5) / levels


class FinePath(nn.Module):
    """What of the guide's ControlNet speaks: its embedding, first block, and what both send on."""

    shift: Tensor
    time: Tensor

    def __init__(self, guide: Any) -> None:
        super().__init__()
        self.embedding = guide.controlnet_cond_embedding
        self.block = guide.down_blocks[0].resnets[0]
        self.show = guide.controlnet_down_blocks[_RAW]
        self.speak = guide.controlnet_down_blocks[_SPOKEN]
        self.register_buffer("shift", guide.conv_in.bias.detach()[:, None, None], False)
        self.register_buffer("time", guide.time_embedding.linear_2.bias.detach(), False)

    def forward(self, guides: Tensor, said: Tensor) -> tuple[Tensor, Tensor]:
        """Guides (n, 3, h, w) 0..1 and codes of words (n, width) to what is shown and what is said,
        (n, c, h/4, w/4) each: added to the denoiser's first two skips."""
        seen = self.embedding(guides) + self.shift
        return self.show(seen), self.speak(self.block(seen, self.time + said))


def teach_patterns(
    networks: Networks, store: WindowStore, clock: Clock, batch: int, device: torch.device
) -> None:
    """Train the guide's fine path to give the latents of what it shows, through a throwaway head,
    under the words' codes instead of a prompt."""
    path = FinePath(networks.controls["guide"]).requires_grad_(True)
    head = nn.Conv2d(path.speak.out_channels, 4, 3, 1, 1).to(device)
    weights = [*path.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=_RATE, betas=(0.9, 0.98), weight_decay=1e-3)
    codes = WordCodes(path.time.numel(), device)
    while not clock.done:
        if clock.step % 200 == 0:
            store.look()
        for group in optimiser.param_groups:
            group["lr"] = clock.rate(_RATE)
        guides, clean, mask, labels = _crops(store, batch, device)
        error = head(path(guides, ALOUD * codes.of(labels))[1]) - clean
        loss = (mask * (0.3 * error.square() + 3 * fine(error).square())).mean()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        clock.tick(
            {
                "unexplained": (mask * fine(error).square()).sum(),
                "of": (mask * fine(clean).square()).sum(),
            }
        )
    path.requires_grad_(False)


def _crops(
    store: WindowStore, count: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Crops of windows of one thing: guides, latents, masks (n, 1, h, w) and labels. Of two places
    the one that shows more of the thing."""
    alone = (store["labels"][:, 0] >= 0).nonzero()[:, 0]
    rows = alone[torch.randint(0, len(alone), (count,), device=device)]
    masks = store["mask"][rows].float()
    side = masks.shape[-1]
    spots = torch.randint(0, side - _SIDE + 1, (2, count, 2), device=device)
    shown = F.avg_pool2d(masks[:, None], _SIDE, 1)[:, 0]
    at = torch.arange(count, device=device)
    first, second = (shown[at, spot[:, 0], spot[:, 1]] for spot in spots)
    corner = torch.where((first >= second)[:, None], spots[0], spots[1])
    guides = _cut(store["guide"][rows].permute(0, 3, 1, 2), corner * LATENT_FACTOR, LATENT_FACTOR)
    guides = (guides.float() / 255).contiguous(memory_format=torch.channels_last)
    clean = _cut(store["codes"][rows], corner, 1).float()
    return guides, clean, _cut(masks[:, None], corner, 1), store["labels"][rows]


def _cut(images: Tensor, corner: Tensor, factor: int) -> Tensor:
    """Windows of (n, c, h, w) at corners (n, 2), _SIDE times `factor` wide."""
    reach = torch.arange(_SIDE * factor, device=images.device)
    y, x = corner[:, 0, None] + reach, corner[:, 1, None] + reach
    n = torch.arange(len(images), device=images.device)[:, None, None]
    return images[n, :, y[:, :, None], x[:, None, :]].permute(0, 3, 1, 2)
