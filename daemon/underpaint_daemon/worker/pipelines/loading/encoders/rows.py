"""Rows of queries and keys as transformers has them, of models that llama.cpp or Mistral lays out
otherwise."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..packing.packed import Packed

_LAID_OUT = ("mistral",)


def rows_as_released(state: dict[str, Any], config: Any) -> dict[str, Any]:
    """The weights of a text encoder from a file of llama.cpp's, whose converter (`permute`) puts
    the two halves of each head's rows side by side in models of LLaMA's make, and leaves Qwen's as
    they are; or of Mistral's own, which has them so from the beginning.

    `config`: the encoder's; queries and keys are (heads x width, columns), packed or not.
    """
    if config.model_type not in _LAID_OUT:
        return state
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    return {
        name: _parted(weight, heads[name.split(".")[-2]])
        if name.endswith(("q_proj.weight", "k_proj.weight"))
        else weight
        for name, weight in state.items()
    }


def _parted(weight: Tensor | Packed, heads: int) -> Tensor | Packed:
    rows = weight.shape[0]
    order = torch.arange(rows).reshape(heads, rows // heads // 2, 2).swapaxes(1, 2).flatten()
    if isinstance(weight, Packed):
        scale = weight.scale
        if scale is not None and scale.numel() > 1:
            scale = scale[order]
        return Packed(weight.data[order], weight.kind, scale)
    return weight[order]
