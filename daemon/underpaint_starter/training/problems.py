"""What a denoiser is asked while it trains, and how the networks answer together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from underpaint_starter.networks.models import Networks, make_scheduler
from underpaint_starter.networks.tokenizer import tokenize
from underpaint_starter.training.batches import Batch
from underpaint_starter.training.losses import noised, velocity

CAPTION_DROPOUT = 0.1
FROM_NOISE = 0.1  # share of samples at the first sampling steps, where colour and layout are made
_LEAST_ROLLED = 100  # time below which a prediction carried on is too near the end to be mended


@dataclass(frozen=True, slots=True)
class Mix:
    """How many rows of a batch see which control: depth, both, normal, none, in this order."""

    depth: int
    both: int
    normal: int

    @classmethod
    def of(cls, batch: int) -> Mix:
        """40 % depth, 20 % both, 25 % normal, the rest without control; small batches by chance."""
        shares = (0.4, 0.2, 0.25)
        if batch >= 24:
            return cls(*(round(share * batch) for share in shares))
        drawn = torch.multinomial(torch.tensor([*shares, 0.15]), batch, replacement=True)
        return cls(*torch.bincount(drawn, minlength=4)[:3].tolist())

    def rows(self, name: str) -> slice:
        """Rows that the named ControlNet works on."""
        if name == "depth":
            return slice(0, self.depth + self.both)
        return slice(self.depth, self.depth + self.both + self.normal)


@dataclass(frozen=True, slots=True)
class Problem:
    """Noisy latents (n, 4, h, w) at times (n,), tokens (n, 77), control images (n, 3, 4h, 4w) in
    0..1; target: the velocity; mask (n, 1, h, w): where objects are; signal (n, 1, 1, 1): share of
    the clean latents in the noisy ones, the square root of alpha-bar."""

    noisy: Tensor
    times: Tensor
    tokens: Tensor
    depth: Tensor
    normal: Tensor
    target: Tensor
    mask: Tensor
    signal: Tensor

    def clean(self, prediction: Tensor) -> Tensor:
        """Clean latents by a velocity; of `target`: the true ones."""
        return self.signal * self.noisy - (1 - self.signal**2).sqrt() * prediction


class ProblemMaker:
    """Makes problems of batches: draws times and noise, drops captions."""

    def __init__(
        self,
        tokenizer: CLIPTokenizer,
        device: torch.device,
        caption_dropout: float = CAPTION_DROPOUT,
    ) -> None:
        self._tokenizer, self._device, self._dropout = tokenizer, device, caption_dropout
        self._alpha_bar = make_scheduler().alphas_cumprod.to(device)

    def make(self, batch: Batch) -> Problem:
        """A problem of each view of the batch."""
        device = self._device
        clean = batch.codes.to(device)
        noise = torch.randn_like(clean)
        times = self._times(len(clean))
        alpha = self._alpha_bar[times]
        keep = torch.rand(len(clean)) >= self._dropout
        texts = [text if kept else "" for text, kept in zip(batch.captions, keep, strict=True)]
        return Problem(
            _last(noised(clean, noise, alpha)),
            times,
            tokenize(self._tokenizer, texts).to(device),
            _last(batch.depth.to(device)),
            _last(batch.normal.to(device)),
            velocity(clean, noise, alpha),
            batch.mask.to(device),
            _signal(alpha),
        )

    def make_often_first(self, batch: Batch) -> Problem:
        """A problem of each view, for half of the batches at the first step: there a style is
        chosen, or not."""
        problem = self.make(batch)
        return self.blank(problem) if torch.rand(()) < 0.5 else problem

    def blank(self, problem: Problem) -> Problem:
        """The same views at the first step, as noise alone: there the velocity is minus the
        clean latents."""
        last = torch.full_like(problem.times, len(self._alpha_bar) - 1)
        noise = _last(torch.randn_like(problem.noisy))
        none = torch.zeros_like(problem.signal)
        clean = problem.clean(problem.target)
        return replace(problem, noisy=noise, times=last, target=-clean, signal=none)

    def carried_on(self, problem: Problem, guess: Tensor) -> Problem:
        """The same views at later steps of a sampler that came from `guess`, a velocity for
        `blank`: the answer is still the true picture.

        Sampling never meets true pictures with noise, but its own guesses with noise. Shown some,
        the networks mend their blotches instead of keeping them (Ning et al. 2023, "Input
        perturbation reduces exposure bias in diffusion models", on the same ill).
        """
        clean = problem.clean(problem.target)
        shape = problem.times.shape
        times = torch.randint(_LEAST_ROLLED, len(self._alpha_bar), shape, device=self._device)
        alpha = self._alpha_bar[times]
        noisy = noised(-guess, torch.randn_like(clean), alpha)  # at no signal v = -clean
        signal = _signal(alpha)
        target = (signal * noisy - clean) / (1 - signal**2).sqrt()
        return replace(problem, noisy=_last(noisy), times=times, target=target, signal=signal)

    def _times(self, count: int) -> Tensor:
        steps = len(self._alpha_bar)
        times = (steps * torch.rand(count)).long()
        early = torch.rand(count) < FROM_NOISE
        drawn = torch.where(early, steps - 1 - times // 8, times)
        return drawn.clamp(0, steps - 1).to(self._device)


def predict(
    networks: Networks, problem: Problem, mix: Mix | None = None, picture: Tensor | None = None
) -> Tensor:
    """The denoiser's velocity. Rows see depth, normals, both or neither (`mix`; None: by chance).

    `picture`: (n, 1, width) image embeddings for a denoiser with an IP-Adapter.
    """
    context = networks.text(problem.tokens).last_hidden_state
    count = len(problem.noisy)
    mix = mix or Mix.of(count)
    downs: list[Tensor] = []
    for name, image in (("depth", problem.depth), ("normal", problem.normal)):
        rows = mix.rows(name)
        if rows.start == rows.stop:
            continue
        down, middle = networks.controls[name](
            problem.noisy[rows], problem.times[rows], context[rows], image[rows], return_dict=False
        )
        padded = [_pad(part, rows, count) for part in (*down, middle)]
        downs = [a + b for a, b in zip(downs, padded, strict=True)] if downs else padded
    out: Tensor = networks.unet(
        problem.noisy,
        problem.times,
        context,
        down_block_additional_residuals=tuple(downs[:-1]) if downs else None,
        mid_block_additional_residual=downs[-1] if downs else None,
        added_cond_kwargs=None if picture is None else {"image_embeds": [picture]},
        return_dict=False,
    )[0]
    return out


def _signal(alpha_bar: Tensor) -> Tensor:
    return alpha_bar[:, None, None, None].sqrt()


def _last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)


def _pad(part: Tensor, rows: slice, count: int) -> Tensor:
    """The residuals of some rows, zeros for the others."""
    gaps = (0, 0, 0, 0, 0, 0, rows.start, count - rows.stop)
    return torch.nn.functional.pad(part, gaps)
