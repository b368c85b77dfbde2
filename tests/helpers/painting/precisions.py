"""The forms in which the tensors of a checkpoint file are shared."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def scaled(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A network's matrices in fp8, each with its scale beside it, as ComfyUI writes them."""
    made = {}
    for name, tensor in tensors.items():
        if tensor.dim() != 2:
            made[name] = tensor
            continue
        scale = tensor.abs().max() / 448
        made[name] = (tensor / scale).to(torch.float8_e4m3fn)
        made[name.removesuffix("weight") + "scale_weight"] = scale.reshape(1)
    return made


def stored_as(form: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A whole checkpoint's tensors in another form: "fp16", "bf16", "fp8" (the U-Net's matrices
    and convolutions, all else in halves), "fp8 e5m2" (of more range and fewer digits), "scaled fp8"
    (with a scale beside each), "pruned EMA" (a spoilt copy)."""
    made = {"scaled_fp8": torch.zeros(1)} if form == "scaled fp8" else {}
    for name, tensor in tensors.items():
        unet = name.startswith("model.diffusion_model.") and name.endswith(".weight")
        if form == "pruned EMA":
            made[name] = tensor
            made["model_ema." + name.replace(".", "")] = tensor * 0
        elif form in ("fp16", "bf16"):
            made[name] = tensor.half() if form == "fp16" else tensor.bfloat16()
        elif not (unet and tensor.dim() in (2, 4)):
            made[name] = tensor.half()
        elif form == "fp8":
            made[name] = tensor.to(torch.float8_e4m3fn)
        elif form == "fp8 e5m2":
            made[name] = tensor.to(torch.float8_e5m2)
        else:
            scale = tensor.abs().max() / 448
            made[name] = (tensor / scale).to(torch.float8_e4m3fn)
            made[name.removesuffix("weight") + "scale_weight"] = scale.reshape(1)
    return made


def widened(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The very numbers of a checkpoint in eight bits, in float32 and without scales."""
    made = {}
    for name, tensor in tensors.items():
        scale = tensors.get(name.removesuffix("weight") + "scale_weight", torch.ones(1))
        if not name.endswith("scale_weight") and name != "scaled_fp8":
            made[name] = tensor.float() * (scale if name.endswith(".weight") else 1.0)
    return made


def rewritten(checkpoint: Path, change, name: str = "other") -> Path:
    """A copy of the checkpoint with other tensors, and its configurations beside it."""
    file = checkpoint.with_name(f"{name}.safetensors")
    if not file.with_suffix("").exists():
        shutil.copytree(checkpoint.with_suffix(""), file.with_suffix(""))
    save_file(change(load_file(checkpoint)), file)
    return file
