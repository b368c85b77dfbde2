"""The forms in which the tensors of a checkpoint file are shared."""

from __future__ import annotations

import torch


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
    """A whole checkpoint's tensors in another form: "fp16", "bf16", "fp8" (the U-Net's matrices,
    all else in halves), "fp8 e5m2" (of more range and fewer digits), "scaled fp8" (with a scale
    beside each), "pruned EMA" (a spoilt copy)."""
    made = {"scaled_fp8": torch.zeros(1)} if form == "scaled fp8" else {}
    for name, tensor in tensors.items():
        unet = name.startswith("model.diffusion_model.") and name.endswith(".weight")
        if form == "pruned EMA":
            made[name] = tensor
            made["model_ema." + name.replace(".", "")] = tensor * 0
        elif form in ("fp16", "bf16"):
            made[name] = tensor.half() if form == "fp16" else tensor.bfloat16()
        elif not (unet and tensor.dim() == 2):
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
