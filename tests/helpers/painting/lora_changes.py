"""Changes of the tiny model's weights: written as a LoRA, and merged into a copy of the model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from underpaint.requests import ImageRequest, Lora, Prompt, Sampler, Sampling

from .studio import Studio

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, sampling=Sampling(Sampler.DDIM, 2, 3.0)
)
State = dict[str, Tensor]
UNET, TEXT = "unet/diffusion_pytorch_model", "text_encoder/model"


class Changes:
    """Layers of the tiny model's UNet, linear and convolutional, and factors of their changes."""

    def __init__(self, studio: Studio) -> None:
        torch.manual_seed(3)
        modules = dict(studio.models.load("tiny").unet.named_modules())
        self.shapes = {
            name: tuple(module.weight.shape)
            for name, module in modules.items()
            if name.endswith(("to_q", "to_v", "conv1"))
        }
        self.linear = [name for name, shape in self.shapes.items() if len(shape) == 2]
        self.down = {n: self.noise(2, *s[1:]) for n, s in self.shapes.items()}
        self.up = {n: self.noise(s[0], 2, *(1,) * (len(s) - 2)) for n, s in self.shapes.items()}

    def noise(self, *shape: int) -> Tensor:
        return torch.randn(shape) * 0.3

    def plain(self) -> State:
        return {n: self.up[n].flatten(1) @ self.down[n].flatten(1) for n in self.shapes}

    def written(self, spell: Callable[[str, str], str]) -> State:
        """As a plain LoRA whose tensors are called as `spell(layer, "A" or "B")` says."""
        found = {spell(name, "A"): down for name, down in self.down.items()}
        return found | {spell(name, "B"): up for name, up in self.up.items()}


def merged(
    studio: Studio, work: Path, deltas: State, sizes: State | None = None, within: str = UNET
) -> Any:
    """What the tiny model paints with changes in its weights; `sizes`: of their rows, then."""
    folder = work / "merged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(studio.models.paths.models / "tiny", folder)
    file = folder / f"{within}.safetensors"
    state = load_file(file)
    for name, delta in deltas.items():
        weight = state[f"{name}.weight"] + delta.reshape(state[f"{name}.weight"].shape)
        if sizes is not None:
            ones = (-1, *(1,) * (weight.dim() - 1))
            length = weight.flatten(1).norm(dim=1).reshape(ones)
            weight = weight / length * sizes[name].reshape(ones)
        state[f"{name}.weight"] = weight
    save_file(state, file, metadata={"format": "pt"})
    return studio.paint(replace(ASKED, model=str(folder)))[0].astype(int)


def laid_on(studio: Studio, work: Path, state: Mapping[str, Tensor], weight: float = 1.0) -> Any:
    file = work / "стиль v1.0 (a).safetensors"
    save_file({name: tensor.contiguous().clone() for name, tensor in state.items()}, file)
    return studio.paint(replace(ASKED, loras=(Lora(str(file), weight),)))[0].astype(int)


def same(one: Any, two: Any) -> bool:
    return bool(np.abs(one - two).max() <= 1)


def kohya(name: str) -> str:
    return "lora_unet_" + name.replace(".", "_")
