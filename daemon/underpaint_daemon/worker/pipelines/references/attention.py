"""Reference attention: a UNet looks at reference pictures while it paints, without an adapter.

At each step every reference, with as much noise in it as the painting has, goes through the UNet
first, and the keys and values of its self-attention are kept; then those of the painting are
joined by them. Method: Zhang 2023, "reference-only" (ControlNet for A1111, discussion 1236), where
whole layers are left out for less of it, and where "style fidelity" mixes the unprompted half's
answer with one that saw no reference. Here both are weights of the reference's keys, which come to
the same at their ends and are smooth between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ..memory import waits_in
from ..wrapping import Forward, wrapped

KeyValue = tuple[Tensor, Tensor]
_SEED_STRIDE = 104_729
_MOST_SEED = 2**63
_KEPT = ("encoder_hidden_states", "timestep_cond", "added_cond_kwargs", "class_labels")


@dataclass(frozen=True, slots=True)
class Seen:
    """A reference as a UNet sees it: `latent` (1, c, h, w), clean; `beside` (1, n, h, w): what a
    UNet with more input channels gets in them, or None. `scale`, `fidelity`, `start`, `end`: see
    `underpaint.requests.Reference`. `noise`: of the latent's shape (see `drawn`)."""

    latent: Tensor
    beside: Tensor | None
    scale: float
    fidelity: float
    start: float
    end: float
    noise: Tensor | None = None

    def at(self, signal: float) -> Tensor:
        """What the UNet gets, of signal² and noise² that sum to 1."""
        assert self.noise is not None
        noisy = signal * self.latent + (1 - signal * signal) ** 0.5 * self.noise
        return noisy if self.beside is None else torch.cat((noisy, self.beside), 1)


def drawn(seen: Sequence[Seen], seed: int) -> tuple[Seen, ...]:
    """References with the noise of a seed, which is the same at every step."""
    found = []
    for i, one in enumerate(seen, 1):
        generator = torch.Generator("cpu").manual_seed((seed + i * _SEED_STRIDE) % _MOST_SEED)
        found.append(replace(one, noise=torch.randn(one.latent.shape, generator=generator)))
    return tuple(found)


@dataclass(slots=True)
class Bank:
    """Keys and values (B, T, D) of references, by layer. While one `writes`, what it has is noted.

    Half as large as a network's activations for a picture and its step. `home`: where they wait
    until a layer reads them, if not where they were made.
    """

    home: torch.device | None = None
    _writes: Seen | None = None
    _kept: dict[str, list[tuple[Seen, KeyValue]]] = field(default_factory=dict)

    @property
    def writing(self) -> bool:
        """Whether a reference goes through the network just now."""
        return self._writes is not None

    def forget(self) -> None:
        """Let go of what was noted."""
        self._kept.clear()

    @contextmanager
    def written(self, one: Seen) -> Iterator[None]:
        """Within the block the network is shown this reference."""
        self._writes = one
        try:
            yield
        finally:
            self._writes = None

    def note(self, layer: str, own: KeyValue) -> None:
        """What a layer has of the reference that is shown."""
        assert self._writes is not None
        kept = own if self.home is None else (own[0].to(self.home), own[1].to(self.home))
        self._kept.setdefault(layer, []).append((self._writes, kept))

    def joined(self, layer: str, pair: KeyValue, own: int) -> tuple[KeyValue, Tensor | None]:
        """Keys and values with the references' behind them, and what to add to the logits
        (B, 1, 1, T), None for nothing. own: rows, half of them without the prompt if two."""
        told = self._kept.get(layer)
        if not told:
            return pair, None
        keys, values = (
            [part, *(kv[i][-own:].to(part.device) for _, kv in told)] for i, part in enumerate(pair)
        )
        weights = [_weights(one, own) for one, _ in told]
        joined = torch.cat(keys, 1), torch.cat(values, 1)
        if all(weight == 1 for row in weights for weight in row):
            return joined, None
        return joined, _bias(weights, keys)


def _weights(one: Seen, rows: int) -> list[float]:
    """How much a reference's keys count in each row; of two the first is without the prompt."""
    return [one.scale * (1 - one.fidelity), one.scale] if rows == 2 else [one.scale] * rows


def _bias(weights: Sequence[Sequence[float]], keys: Sequence[Tensor]) -> Tensor:
    like, lengths = keys[0], [key.shape[1] for key in keys]
    counts = torch.tensor([[1.0, *row] for row in zip(*weights, strict=True)]).log()
    rows = torch.repeat_interleave(counts, torch.tensor(lengths), 1)
    return rows[:, None, None].to(like)


def attend(attn: Any, query: Tensor, pair: KeyValue, bias: Tensor | None = None) -> Tensor:
    """What queries (B, T, D) read of keys and values, (B, T, D). attn: diffusers' layer."""
    q, k, v = (
        part.reshape(*part.shape[:2], attn.heads, -1).transpose(1, 2) for part in (query, *pair)
    )
    mask = None if bias is None else bias.expand(-1, 1, q.shape[2], -1)
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, mask, scale=attn.scale)
    return mixed.transpose(1, 2).flatten(2)


def put_out(attn: Any, mixed: Tensor, hidden_states: Tensor) -> Tensor:
    """What a layer makes of what was read."""
    out: Tensor = attn.to_out[1](attn.to_out[0](mixed))
    if attn.residual_connection:
        out = out + hidden_states
    made: Tensor = out / attn.rescale_output_factor
    return made


class LookingAttention:
    """A diffusers attention processor for one self-attention layer."""

    def __init__(self, layer: str, bank: Bank) -> None:
        self._layer = layer
        self._bank = bank

    def __call__(self, attn: Any, hidden_states: Tensor, *unused: Any, **others: Any) -> Tensor:
        """hidden_states (B, T, D); the other arguments are diffusers' and unused here."""
        del unused, others
        query = attn.to_q(hidden_states)
        pair, bias = (attn.to_k(hidden_states), attn.to_v(hidden_states)), None
        if self._bank.writing:
            self._bank.note(self._layer, pair)
        else:
            pair, bias = self._bank.joined(self._layer, pair, len(query))
        return put_out(attn, attend(attn, query, pair, bias), hidden_states)


def acts(start: float, end: float, progress: tuple[int, int]) -> bool:
    """Whether what has a range acts at a step of so many (diffusers' rule)."""
    step, steps = progress
    return step / steps >= start and (step + 1) / steps <= end


def signal_at(scheduler: Any, timestep: Any) -> float:
    """How much of the clean picture is in a sample at a timestep, in the form in which signal² and
    noise² sum to 1; between timesteps, straight between theirs."""
    kept = scheduler.alphas_cumprod
    at = min(max(float(timestep), 0.0), len(kept) - 1.0)
    below = int(at)
    above = min(below + 1, len(kept) - 1)
    part = at - below
    between = float((1 - part) * kept[below] + part * kept[above])
    return math.sqrt(max(between, 0.0))


def write(
    bank: Bank,
    network: Any,
    seen: Sequence[Seen],
    timestep: Any,
    signal: float,
    like: Tensor,
    **told: Any,
) -> None:
    """Have a bank note what a network has of references. `network`: its call; `like`: of as many
    rows, of the type and on the device of what will read; `told`: the words."""
    bank.forget()
    for one in seen:
        sample = one.at(signal).to(like).expand(len(like), -1, -1, -1)
        with bank.written(one):
            network(sample, timestep, return_dict=False, **told)


@contextmanager
def looking(
    pipe: Any, network: Any, seen: Sequence[Seen], steps: int, bare: Callable[[], None]
) -> Iterator[None]:
    """Have a pipeline's UNet look at references in this block. `network`: the UNet's own call,
    without what leads it; `steps`: that the pipeline takes; `bare`: takes a part's LoRAs off."""
    if not seen:
        yield
        return
    unet, bank, taken = pipe.unet, Bank(waits_in(pipe.unet)), 0
    before = unet.attn_processors

    def after_references(led: Forward) -> Forward:
        def forward(sample: Tensor, timestep: Any, *others: Any, **named: Any) -> Any:
            nonlocal taken
            acting = [one for one in seen if acts(one.start, one.end, (taken, steps))]
            taken += 1
            told = {name: named[name] for name in _KEPT if name in named}
            signal = signal_at(pipe.scheduler, timestep)
            bare()
            write(bank, network, acting, timestep, signal, sample, **told)
            return led(sample, timestep, *others, **named)

        return forward

    unet.set_attn_processor(
        {
            name: LookingAttention(name, bank) if "attn1" in name else processor
            for name, processor in before.items()
        }
    )
    try:
        with wrapped(unet, after_references):
            yield
    finally:
        unet.set_attn_processor(before)
