"""FLUX.2 dev and Klein (four steps): references in place of ControlNets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import Flux2KleinPipeline, Flux2Pipeline, Flux2Transformer2DModel

from .parts import awake, flow, save_lora
from .texts import WIDTH, mistral3, mistral_tokenizer, qwen3_encoder, qwen_tokenizer
from .vaes import flux2_kl

_READ_LAYERS = 3
_DEPTH = 28  # the pipeline reads the states after layers 9, 18 and 27
_DEPTH_OF_DEV = 31  # after 10, 20 and 30


def flux2(folder: Path) -> Path:
    """Dev, guided by an embedding, with a LoRA. Its processor is written as transformers writes
    it; to make one needs torchvision."""
    torch.manual_seed(52)
    transformer = _transformer(guidance_embeds=True)
    Flux2Pipeline(
        transformer=transformer,
        scheduler=flow(dynamic=True),
        vae=flux2_kl(),
        text_encoder=mistral3(_DEPTH_OF_DEV),
        tokenizer=None,
    ).save_pretrained(folder)
    mistral_tokenizer().save_pretrained(folder / "tokenizer")
    file = folder / "model_index.json"
    index = json.loads(file.read_text("utf-8"))
    index["tokenizer"] = ["transformers", "PixtralProcessor"]
    file.write_text(json.dumps(index), "utf-8")
    save_lora(transformer, folder / "loras" / "style.safetensors", ("attn.to_q", "attn.to_v"))
    return folder


def flux2_klein(folder: Path) -> Path:
    """With a LoRA."""
    torch.manual_seed(51)
    transformer = _transformer(guidance_embeds=False)
    Flux2KleinPipeline(
        transformer=transformer,
        scheduler=flow(dynamic=True),
        vae=flux2_kl(),
        text_encoder=qwen3_encoder(_DEPTH, language_head=True),
        tokenizer=qwen_tokenizer(),
        is_distilled=True,
    ).save_pretrained(folder)
    save_lora(transformer, folder / "loras" / "style.safetensors", ("attn.to_q", "attn.to_v"))
    return folder


def _transformer(**more: Any) -> Any:
    return awake(
        Flux2Transformer2DModel(
            in_channels=128,
            num_layers=2,
            num_single_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=_READ_LAYERS * WIDTH,
            axes_dims_rope=(4, 4, 4, 4),
            **more,
        )
    )
