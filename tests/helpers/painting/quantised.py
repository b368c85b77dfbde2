"""Folders of the tiny model with a part quantised, as the packages write them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers


def quantised(source: Path, folder: Path, part: str, config: Any) -> Path:
    """A copy of a model with one network quantised."""
    shutil.copytree(source, folder)
    kind = diffusers.UNet2DConditionModel if part == "unet" else transformers.CLIPTextModel
    network = kind.from_pretrained(
        source / part, quantization_config=config, torch_dtype=torch.float32
    )
    shutil.rmtree(folder / part)
    network.save_pretrained(folder / part)
    return folder


def config_of(form: str, part: str) -> Any:
    """The configuration that a form of quantisation has in the library of a part."""
    library = diffusers if part == "unet" else transformers
    if form.startswith("bitsandbytes"):
        return library.BitsAndBytesConfig(load_in_8bit=True)
    from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig

    made = Float8WeightOnlyConfig() if form.endswith("fp8") else Int8WeightOnlyConfig()
    return library.TorchAoConfig(made)
