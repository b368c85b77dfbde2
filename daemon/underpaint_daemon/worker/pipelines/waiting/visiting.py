"""Networks that wait in main memory and visit the GPU while they work: of a model that is larger
than the card, only what works at the time is on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from accelerate.hooks import ModelHook, add_hook_to_module  # type: ignore[import-untyped]
from accelerate.utils import send_to_device  # type: ignore[import-untyped]

from ..loading.networks import is_quantised
from .weights import Weights, places_in


class Guest(Protocol):
    """A network that visits."""

    network: Any

    def come(self) -> None:
        """To the card, before it is called."""

    def leave(self) -> None:
        """Into main memory, before one is called that works without it."""

    def restore(self) -> None:
        """As it was before it was invited, in main memory; maybe in the midst of an error."""


class Moved:
    """One that is moved to the card and back."""

    def __init__(self, network: Any, device: torch.device) -> None:
        self.network, self._device = network, device

    def come(self) -> None:
        self.network.to(self._device)

    def leave(self) -> None:
        self.network.to("cpu")

    def restore(self) -> None:
        """It is moved by who puts all back."""


class Copied:
    """One that stays in main memory: its copy comes to the card, and is dropped."""

    def __init__(self, network: Any, device: torch.device) -> None:
        self.network, self._device = network, device
        self._there = False
        self._weights = Weights([place for _, place in places_in(network)], hollow=False)

    def come(self) -> None:
        if not self._there:
            self._there = True
            self._weights.come(self._device)

    def leave(self) -> None:
        if self._there:
            self._weights.leave()
            self._there = False

    def restore(self) -> None:
        self.leave()


def whole(network: Any, device: torch.device) -> Guest:
    """A guest that comes and leaves whole: copied, unless it may be another when it leaves (VAEs
    are small, and widened while they work), or has numbers beside its weights (bitsandbytes)."""
    if hasattr(network, "decode") or is_quantised(network):
        return Moved(network, device)
    return Copied(network, device)


def invite(guests: Sequence[Guest], device: torch.device) -> None:
    """Let networks, which are in main memory, come to `device` when they are called, and go when
    one is called that does not work together with them. `accelerate` takes it back."""
    for guest in guests:
        others = [one for one in guests if not _together(one.network, guest.network)]
        add_hook_to_module(guest.network, _Visit(guest, others, device))


class _Visit(ModelHook):  # type: ignore[misc]
    """accelerate's own hooks of this kind know a chain, in which each is called once; here
    ControlNets and the network that they lead are called in turns. diffusers' pipelines read
    `execution_device`."""

    def __init__(self, guest: Guest, others: Sequence[Guest], device: torch.device) -> None:
        self.execution_device = device
        self._guest, self._others = guest, others

    def pre_forward(self, module: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        del module
        for other in self._others:
            other.leave()
        self._guest.come()
        return (
            send_to_device(args, self.execution_device),
            send_to_device(kwargs, self.execution_device),
        )

    def detach_hook(self, module: Any) -> Any:
        self._guest.restore()
        return module


def _together(one: Any, other: Any) -> bool:
    """Whether two networks work at one step: what denoises and what leads it. Encoders of words or
    pictures and VAEs work by themselves."""
    return one is other or not (_alone(one) or _alone(other))


def _alone(network: Any) -> bool:
    return hasattr(network, "get_input_embeddings") or hasattr(network, "decode")
