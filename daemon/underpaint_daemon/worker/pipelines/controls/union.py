"""Union networks: one ControlNet for many kinds of control, told which by a mode.

Source of the modes: xinsir6/ControlNetPlus, README ("ControlMode"); 6 and 7 are ProMax's.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import ControlNetModel
from diffusers.configuration_utils import FrozenDict

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ControlKind

MODES = {
    ControlKind.OPENPOSE: 0,
    ControlKind.DEPTH: 1,
    ControlKind.SOFTEDGE: 2,
    ControlKind.SCRIBBLE: 2,
    ControlKind.CANNY: 3,
    ControlKind.LINEART: 3,
    ControlKind.MLSD: 3,
    ControlKind.NORMAL: 4,
    ControlKind.SEGMENT: 5,
    ControlKind.TILE: 6,
    ControlKind.INPAINT: 7,
}


class UnionMode(ControlNetModel):  # type: ignore[misc]
    """A union network in one mode, wherever a ControlNet is expected. The weights are shared."""

    def __init__(self, union: Any, mode: int) -> None:
        torch.nn.Module.__init__(self)
        self.union = union
        self._mode = mode
        self._internal_dict = FrozenDict({**union.config, "global_pool_conditions": False})

    def forward(
        self,
        sample: Any,
        timestep: Any,
        encoder_hidden_states: Any,
        controlnet_cond: Any,
        conditioning_scale: Any = 1.0,
        **named: Any,
    ) -> Any:
        """As ControlNetModel's."""
        types = torch.zeros(len(sample), self.union.config.num_control_type)
        types[:, self._mode] = 1
        return self.union(
            sample,
            timestep,
            encoder_hidden_states,
            controlnet_cond=[controlnet_cond],
            control_type=types.to(sample),
            control_type_idx=[self._mode],
            conditioning_scale=float(conditioning_scale),
            **named,
        )


def in_mode(union: Any, kind: ControlKind) -> UnionMode:
    """The union network for a kind of control. Raises RequestError(CONTROL_MISSING) when it was
    not trained on it."""
    count = union.config.num_control_type
    mode = MODES.get(kind, count)
    if mode >= count:
        able = ", ".join(kind for kind, number in MODES.items() if number < count)
        raise RequestError(
            ErrorCode.CONTROL_MISSING, f"This union network has no {kind} mode; it knows {able}"
        )
    network = UnionMode(union, mode)
    network.eval()
    return network
