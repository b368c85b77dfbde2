"""What a ControlNet is told while something is painted: an exact witness, where a picture of
random weights only shows that something was different."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn


@dataclass(frozen=True, slots=True)
class Told:
    """One call: the control image (h, w, 3), 0–255; how much of it was wanted."""

    image: np.ndarray
    scale: float


@contextmanager
def hearing(network: nn.Module) -> Iterator[list[Told]]:
    """Every call of a ControlNet while the context lasts."""
    told: list[Told] = []

    def hear(_network: nn.Module, _words: Any, named: dict[str, Any]) -> None:
        image = named["controlnet_cond"][0].permute(1, 2, 0).cpu().float().numpy()
        told.append(
            Told((image * 255).round().astype(np.uint8), float(named["conditioning_scale"]))
        )

    handle = network.register_forward_pre_hook(hear, with_kwargs=True)
    try:
        yield told
    finally:
        handle.remove()
