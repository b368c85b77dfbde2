"""Checkpoints: weights, averaged weights, optimiser and progress in one file, written whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Stateful(Protocol):
    """An optimiser, or several as one."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None: ...


def save_state(
    path: Path,
    networks: Mapping[str, nn.Module],
    optimiser: Stateful,
    progress: Mapping[str, float],
    averages: Mapping[str, Mapping[str, Tensor]],
) -> None:
    """Replace the file at once, so that a kill in the middle leaves the last good one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state: dict[str, Any] = {name: net.state_dict() for name, net in networks.items()}
    state |= {"optimiser": optimiser.state_dict(), "progress": dict(progress)}
    state["averages"] = {name: dict(values) for name, values in averages.items()}
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    os.replace(partial, path)


def save_weights(path: Path, networks: Mapping[str, nn.Module]) -> None:
    """A checkpoint of weights alone, in float32: a new run begins with them."""
    weights = {
        name: {key: value.float().contiguous() for key, value in net.state_dict().items()}
        for name, net in networks.items()
    }
    torch.save({**weights, "averages": weights}, path)


def load_state(
    path: Path,
    networks: Mapping[str, nn.Module],
    optimiser: Stateful,
    averages: dict[str, dict[str, Tensor]] | None = None,
) -> dict[str, float]:
    """Load what `save_state` or `save_weights` wrote into the given objects. Returns the
    progress, {} when new."""
    if not path.exists():
        return {}
    state = torch.load(path, map_location="cpu", weights_only=True)
    for name, net in networks.items():
        net.load_state_dict(state[name])
    for name, values in (averages or {}).items():
        for key, value in state["averages"][name].items():
            values[key].copy_(value)
    if "progress" not in state:
        return {}
    optimiser.load_state_dict(state["optimiser"])
    progress: dict[str, float] = state["progress"]
    return progress


class Average:
    """Exponential moving average of weights (what is exported). `decay` is reached gradually."""

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self.values = {
            name: {key: value.detach().clone().float() for key, value in net.state_dict().items()}
            for name, net in networks.items()
        }

    @torch.no_grad()
    def update(self, networks: Mapping[str, nn.Module], step: int) -> None:
        """Move towards the current weights."""
        rate = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, net in networks.items():
            mine, theirs = [], []
            for key, value in net.state_dict().items():
                if value.is_floating_point():
                    mine.append(self.values[name][key])
                    theirs.append(value.float())
            torch._foreach_lerp_(mine, theirs, rate)
