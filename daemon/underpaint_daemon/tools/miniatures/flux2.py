"""FLUX.2 Klein: four steps, references in place of ControlNets."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import Flux2KleinPipeline, Flux2Transformer2DModel

from .parts import awake, flow, save_lora
from .texts import WIDTH, qwen3_encoder, qwen_tokenizer
from .vaes import flux2_kl

_READ_LAYERS = 3
_DEPTH = 28  # the pipeline reads the states after layers 9, 18 and 27


def flux2_klein(folder: Path) -> Path:
    """With a LoRA."""
    torch.manual_seed(51)
    transformer = awake(
        Flux2Transformer2DModel(
            in_channels=128,
            num_layers=2,
            num_single_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=_READ_LAYERS * WIDTH,
            axes_dims_rope=(4, 4, 4, 4),
            guidance_embeds=False,
        )
    )
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
