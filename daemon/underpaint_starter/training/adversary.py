"""A discriminator that teaches decoders and denoisers to be sharp, and how its word is weighed.

Squared errors alone make a small network paint the mean of all pictures that a prompt allows: flat
and soft. A patch discriminator (Isola et al. 2017, "Image-to-image translation with conditional
adversarial networks") with a projection of the caption (Miyato & Koyama 2018, "cGANs with
projection discriminator") looks at the predicted clean latents, as in Sauer et al. 2023,
"Adversarial diffusion distillation".
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from underpaint_starter.training.checkpoint import load_state, save_state

_WRONG_WORDS = 0.5  # weight of true pictures with another picture's caption, told to be false


class Discriminator(nn.Module):
    """Tells true from painted patches at three scales.

    Input: (n, channels, h, w), and (n, text) embeddings when `text` is given; output: logits
    (n, 1, h / 2**k, w / 2**k) of each scale. Noise of up to `blur` is laid on what is judged, so
    that trifles do not decide; a last channel tells its level.
    """

    def __init__(self, channels: int, blur: float, text: int = 0, width: int = 48) -> None:
        super().__init__()
        self.blur = blur
        widths = (width, 2 * width, 3 * width)
        self.scales = len(widths)
        self.first = _conv(channels + 1, width, 3, 1)
        self.downs = nn.ModuleList(_conv(a, b, 4, 2) for a, b in pairwise(widths))
        self.deeper = nn.ModuleList(_conv(w, w, 3, 1) for w in widths)
        self.heads = nn.ModuleList(_conv(w, 1, 3, 1) for w in widths)
        self.words = nn.ModuleList(nn.Linear(text, w) for w in (widths if text else ()))

    def forward(self, images: Tensor, text: Tensor | None = None) -> list[Tensor]:
        """Logits of every scale."""
        level = self.blur * torch.rand(len(images), 1, 1, 1, device=images.device) ** 2
        noisy = images + level * torch.randn_like(images)
        hidden = self.first(torch.cat((noisy, level.expand_as(images[:, :1])), 1))
        out = []
        for index, deeper in enumerate(self.deeper):
            if index:
                hidden = self.downs[index - 1](F.leaky_relu(hidden, 0.2))
            hidden = hidden + deeper(F.leaky_relu(hidden, 0.2))
            logits: Tensor = self.heads[index](F.leaky_relu(hidden, 0.2))
            if text is not None:
                said = self.words[index](text)[:, :, None, None]
                logits = logits + (said * hidden).mean(1, keepdim=True)
            out.append(logits)
        return out


def _conv(before: int, after: int, kernel: int, stride: int) -> nn.Module:
    return nn.Conv2d(before, after, kernel, stride, 1)


class Adversary:
    """A discriminator in training. What it sees: `seen` images with fixed conditions beside them,
    (n, c, h, w) each, and captions' embeddings."""

    def __init__(self, net: Discriminator, learning_rate: float = 5e-4) -> None:
        self.net = net
        self.optimiser = torch.optim.AdamW(
            net.parameters(), lr=learning_rate, betas=(0.5, 0.99), weight_decay=1e-4
        )

    def learn(
        self, true: Tensor, painted: Tensor, beside: Tensor, text: Tensor | None = None
    ) -> Tensor:
        """One step of telling true from painted; returns the hinge loss (2 = no idea)."""
        shown = [torch.cat((images, beside), 1) for images in (true, painted.detach())]
        words = None if text is None else torch.cat((text, text, text.roll(1, 0)))
        if words is not None:
            shown.append(shown[0])
        told, wrong = torch.zeros(2, device=true.device)
        for logits in self.net(torch.cat(shown), words):
            real, fake, *misnamed = logits.chunk(len(shown))
            told = told + (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / self.net.scales
            for part in misnamed:
                wrong = wrong + F.relu(1 + part).mean() / self.net.scales
        loss = told + _WRONG_WORDS * wrong
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimiser.step()
        out: Tensor = told.detach()
        return out

    def verdict(self, painted: Tensor, beside: Tensor, text: Tensor | None = None) -> Tensor:
        """What a painter minimises: minus the mean logit."""
        self.net.requires_grad_(False)
        logits = self.net(torch.cat((painted, beside), 1), text)
        self.net.requires_grad_(True)
        return -torch.stack([part.mean() for part in logits]).mean()

    def load(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one."""
        load_state(path, {"discriminator": self.net}, self.optimiser)

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        save_state(path, {"discriminator": self.net}, self.optimiser, {"step": 0.0}, {})


Weighed = dict[str, tuple[Callable[[Tensor], Tensor], float]]


def balanced_backward(out: Tensor, losses: Weighed) -> dict[str, Tensor]:
    """Send the gradients of named losses back through `out`, each scaled to its share of the norm
    of the first one's, whose share is 1. (The adaptive weight of Esser et al. 2021, "Taming
    transformers", taken at the output.) Returns the losses."""
    total = torch.zeros_like(out)
    values: dict[str, Tensor] = {}
    size = torch.ones((), device=out.device)
    for name, (loss_of, share) in losses.items():
        leaf = out.detach().requires_grad_(True)
        loss = loss_of(leaf)
        gradient = torch.autograd.grad(loss, leaf)[0]
        size = size if values else gradient.norm()
        total += share * size / (gradient.norm() + 1e-12) * gradient
        values[name] = loss.detach()
    torch.autograd.backward(out, total)
    return values
