"""Networks that wait in main memory and visit the GPU while they work: of a model that is larger
than the card, only what works at the time is on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def invite(networks: Sequence[Any], device: torch.device) -> None:
    """Let networks, which are in main memory, come to `device` when they are called, and go when
    one is called that does not work together with them. `accelerate` takes it back."""
    from accelerate.hooks import add_hook_to_module  # type: ignore[import-untyped]

    hook = _visit()
    for network in networks:
        add_hook_to_module(network, hook(network, networks, device))


def _visit() -> Any:
    from accelerate.hooks import ModelHook
    from accelerate.utils import send_to_device  # type: ignore[import-untyped]

    class Visit(ModelHook):  # type: ignore[misc]
        """accelerate's own hooks of this kind know a chain, in which each is called once; here
        ControlNets and the network that they lead are called in turns."""

        def __init__(self, guest: Any, all_: Sequence[Any], device: torch.device) -> None:
            self.execution_device = device
            self._others = [one for one in all_ if not _together(one, guest)]

        def pre_forward(self, module: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            for other in self._others:
                other.to("cpu")
            module.to(self.execution_device)
            return (
                send_to_device(args, self.execution_device),
                send_to_device(kwargs, self.execution_device),
            )

    return Visit


def _together(one: Any, other: Any) -> bool:
    """Whether two networks work at one step: what denoises and what leads it. Encoders of words or
    pictures and VAEs work by themselves."""
    return one is other or not (_alone(one) or _alone(other))


def _alone(network: Any) -> bool:
    return hasattr(network, "get_input_embeddings") or hasattr(network, "decode")
