"""What several miniatures are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from safetensors.torch import save_file

_RANK = 2


def flow(*, shift: float = 3.0, dynamic: bool = False, **settings: Any) -> Any:
    """The scheduler of flow matching; `dynamic`: its shift follows the size of the picture."""
    return FlowMatchEulerDiscreteScheduler(shift=shift, use_dynamic_shifting=dynamic, **settings)


def awake(network: Any, spread: float = 0.05) -> Any:
    """The network, with weights that start at zero set to noise: an untrained one must still
    answer to what it is given."""
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=spread)
    return network.eval()


def save_lora(transformer: Any, file: Path, layers: Sequence[str], scale: float = 0.5) -> None:
    """A LoRA in diffusers' spelling for the linear layers whose names end in `layers`."""
    tensors = {}
    for name, module in transformer.named_modules():
        if name.endswith(tuple(layers)) and isinstance(module, torch.nn.Linear):
            down, up = (
                torch.randn(_RANK, module.in_features),
                torch.randn(module.out_features, _RANK),
            )
            tensors[f"transformer.{name}.lora_A.weight"] = down * scale
            tensors[f"transformer.{name}.lora_B.weight"] = up * scale
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)
