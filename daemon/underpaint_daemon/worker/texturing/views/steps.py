"""A sampler's step for one view, its fresh noise replaced by the surface's."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import torch
from torch import Tensor

_SEEDS = (1, 2)


def take_step(
    scheduler: Any, output: Tensor, timestep: Any, sample: Tensor, noise: Tensor
) -> Tensor:
    """`scheduler.step` with `noise` in place of what it would draw itself.

    Samplers draw noise inside themselves, and it enters linearly: two trial steps with known draws
    tell by how much, whatever the sampler. Deterministic samplers draw none.
    """
    twin = copy.deepcopy(scheduler)
    (first, drawn), (second, other) = (
        _trial(which, output, timestep, sample, seed)
        for which, seed in zip((scheduler, twin), _SEEDS, strict=True)
    )
    apart = drawn - other
    amount = ((first - second) * apart).sum() / (apart * apart).sum()
    return first + amount * (noise - drawn) if float(amount) != 0 else first


def _trial(
    scheduler: Any, output: Tensor, timestep: Any, sample: Tensor, seed: int
) -> tuple[Tensor, Tensor]:
    """A step with a generator of a known seed, and what that generator gives first."""
    drawn = torch.randn(sample.shape, generator=torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed)
    arguments: dict[str, Any] = {"return_dict": False}
    if _takes_generator(scheduler):
        arguments["generator"] = generator
    stepped = scheduler.step(output, timestep, sample, **arguments)[0]
    return stepped, drawn.to(sample)


def _takes_generator(scheduler: Any) -> bool:
    return "generator" in inspect.signature(scheduler.step).parameters
