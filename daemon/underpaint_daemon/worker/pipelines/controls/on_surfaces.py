"""The guide's network, heard only where its picture shows a surface.

Elsewhere it has no place to speak of, but says the prompt's colours all the same, and they stain
background and ground.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import ControlNetModel
from diffusers.configuration_utils import FrozenDict
from torch import Tensor
from torch.nn import functional as F

from ...guide import NEUTRAL

_SAME = 0.6  # grey levels: what float16 may be off


class OnSurfaces(ControlNetModel):  # type: ignore[misc]
    """A ControlNet that follows a guide, wherever one is expected. The weights are shared."""

    def __init__(self, net: Any) -> None:
        torch.nn.Module.__init__(self)
        self.net = net
        self._internal_dict = FrozenDict(net.config)

    def forward(
        self,
        sample: Any,
        timestep: Any,
        encoder_hidden_states: Any,
        controlnet_cond: Any,
        *rest: Any,
        **named: Any,
    ) -> Any:
        """As ControlNetModel's, without its dictionary: residuals down and in the middle."""
        down, middle = self.net(
            sample,
            timestep,
            encoder_hidden_states,
            controlnet_cond,
            *rest,
            **{**named, "return_dict": False},
        )
        shown = shown_of(controlnet_cond)
        return [_where(shown, part) for part in down], _where(shown, middle)


def shown_of(guide: Tensor) -> Tensor:
    """(n, 1, h, w): 1 where a guide (n, 3, h, w), 0..1, shows a surface, else 0."""
    apart = (guide.float() * 255 - NEUTRAL).abs().amax(1, keepdim=True)
    return (apart > _SAME).to(guide)


def _where(shown: Tensor, part: Tensor) -> Tensor:
    height, width = part.shape[-2:]
    return part * F.interpolate(shown, (height, width), mode="area")
