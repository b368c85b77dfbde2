"""What a U-Net is asked while something is painted, and a U-Net that answers as a test says: exact
witnesses, where pictures of random weights only show that something was different."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: latents (n, c, h, w); the timestep; hidden states of the words (n, length, width).
    With guidance n is 2: the negative's, then the prompt's."""

    latents: Tensor
    timestep: float
    words: Tensor


@contextmanager
def asked_of(unet: nn.Module) -> Iterator[list[Asked]]:
    """Every call while the context lasts; its answers are its own."""
    calls: list[Asked] = []

    def hear(_unet: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        calls.append(_asked(given, named))

    handle = unet.register_forward_pre_hook(hear, with_kwargs=True)
    try:
        yield calls
    finally:
        handle.remove()


@contextmanager
def answering(unet: nn.Module, answer: Callable[[Asked], Tensor]) -> Iterator[None]:
    """The U-Net answers what `answer` makes of each call while the context lasts."""

    def say(_unet: nn.Module, given: tuple[Any, ...], named: dict[str, Any], _own: Any) -> Any:
        return (answer(_asked(given, named)),)

    handle = unet.register_forward_hook(say, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _asked(given: tuple[Any, ...], named: dict[str, Any]) -> Asked:
    latents, timestep = given
    return Asked(
        latents.detach().clone(),
        float(torch.as_tensor(timestep).flatten()[0]),
        named["encoder_hidden_states"].detach().clone(),
    )
