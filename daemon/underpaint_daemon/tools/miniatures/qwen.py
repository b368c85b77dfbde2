"""Qwen-Image and its editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    QwenImageControlNetModel,
    QwenImageEditPipeline,
    QwenImageEditPlusPipeline,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
)
from transformers import Qwen2VLImageProcessor

from .parts import awake, flow, save_lora
from .texts import WIDTH, qwen25_vl, qwen_tokenizer
from .vaes import qwen_kl, qwen_kl_of_editors

_FEW_PIXELS = 56 * 56
_SHAPE: dict[str, Any] = {
    "patch_size": 2,
    "in_channels": 64,
    "num_layers": 2,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "joint_attention_dim": WIDTH,
    "axes_dims_rope": (4, 6, 6),
}


def qwen_image(folder: Path) -> Path:
    """With a depth ControlNet and a LoRA."""
    _save(QwenImagePipeline, folder, qwen_kl)
    network = QwenImageControlNetModel(**{**_SHAPE, "num_layers": 1})
    awake(network).save_pretrained(folder / "controlnet_depth")
    return folder


def qwen_edit(folder: Path) -> Path:
    """Edit: one reference."""
    return _save_editor(QwenImageEditPipeline, folder)


def qwen_edit_plus(folder: Path) -> Path:
    """Edit Plus (2509, 2511): several references."""
    return _save_editor(QwenImageEditPlusPipeline, folder)


def _save_editor(kind: Any, folder: Path) -> Path:
    """The processor is written as transformers writes it; to make one needs torchvision."""
    _save(kind, folder, qwen_kl_of_editors, processor=None)
    Qwen2VLImageProcessor(max_pixels=_FEW_PIXELS).save_pretrained(folder / "processor")
    qwen_tokenizer().save_pretrained(folder / "processor")
    file = folder / "model_index.json"
    index = json.loads(file.read_text("utf-8"))
    index["processor"] = ["transformers", "Qwen2VLProcessor"]
    file.write_text(json.dumps(index), "utf-8")
    return folder


def _save(kind: Any, folder: Path, vae: Callable[[], Any], **more: Any) -> None:
    torch.manual_seed(61)
    transformer = awake(QwenImageTransformer2DModel(**_SHAPE))
    kind(
        transformer=transformer,
        scheduler=flow(shift=1.0, dynamic=True),
        vae=vae(),
        text_encoder=qwen25_vl(),
        tokenizer=qwen_tokenizer(),
        **more,
    ).save_pretrained(folder)
    save_lora(transformer, folder / "loras" / "style.safetensors", ("attn.to_q", "attn.to_v"))
