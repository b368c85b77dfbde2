"""Half precision that does not reach: a model whose numbers leave float16's range is told apart
from one that is damaged, and painted with again in a type of more range."""

from __future__ import annotations

import torch
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError

from .loading.components import LoadedModel
from .loading.networks import Device


class Overflowed(Exception):
    """What was painted in float16 is no number any more: it would be black."""


def check_finite(made: Tensor, model: LoadedModel) -> None:
    """Raise Overflowed when not every number of what float16 made is one; in another type
    RequestError(MODEL_BROKEN): then the weights are no numbers."""
    if bool(torch.isfinite(made).all()):
        return
    if model.place.dtype is torch.float16:
        raise Overflowed
    kind = str(model.place.dtype).removeprefix("torch.")
    raise RequestError(
        ErrorCode.MODEL_BROKEN,
        f"What model {model.info.name!r} painted in {kind} is no picture: not all of it is numbers",
        hint="Its weights, a LoRA's or a ControlNet's are damaged: leave them out one by one, or "
        "fetch them again (underpaint models verify NAME).",
    )


def wider(place: Device) -> torch.dtype:
    """The type that a model gets whose numbers do not fit into float16: bfloat16 where the GPU
    computes in it, else float32."""
    kind = place.device.type
    able = (kind == "cuda" and torch.cuda.is_bf16_supported()) or kind == "xpu"
    return torch.bfloat16 if able else torch.float32
