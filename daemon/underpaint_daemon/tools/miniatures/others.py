"""Chroma and Sana."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    ChromaPipeline,
    ChromaTransformer2DModel,
    SanaControlNetModel,
    SanaPipeline,
    SanaTransformer2DModel,
)
from transformers import Gemma2Config, Gemma2Model

from .parts import awake, flow, save_lora
from .texts import WIDTH, qwen_tokenizer, t5_encoder, t5_tokenizer
from .vaes import deep, kl


def chroma(folder: Path) -> Path:
    """With a LoRA."""
    torch.manual_seed(81)
    transformer = awake(
        ChromaTransformer2DModel(
            in_channels=64,
            num_layers=2,
            num_single_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            axes_dims_rope=(4, 6, 6),
            approximator_hidden_dim=32,
            approximator_layers=1,
        )
    )
    ChromaPipeline(
        transformer=transformer,
        scheduler=flow(),
        vae=kl(16),
        text_encoder=t5_encoder(),
        tokenizer=t5_tokenizer(),
    ).save_pretrained(folder)
    save_lora(transformer, folder / "loras" / "style.safetensors", ("attn.to_q", "attn.to_v"))
    return folder


def sana(folder: Path) -> Path:
    """With a ControlNet and a LoRA."""
    torch.manual_seed(91)
    shape = {
        "in_channels": 32,
        "out_channels": 32,
        "num_attention_heads": 4,
        "attention_head_dim": 8,
        "num_cross_attention_heads": 4,
        "cross_attention_head_dim": 8,
        "cross_attention_dim": 32,
        "caption_channels": WIDTH,
        "sample_size": 4,
    }
    transformer = awake(SanaTransformer2DModel(**shape, num_layers=3))
    text = Gemma2Config(
        vocab_size=len(qwen_tokenizer()),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
    )
    SanaPipeline(
        transformer=transformer,
        scheduler=flow(),
        vae=deep(),
        text_encoder=Gemma2Model(text).eval(),
        tokenizer=qwen_tokenizer(),
    ).save_pretrained(folder)
    network = awake(SanaControlNetModel(**shape, num_layers=2))
    network.save_pretrained(folder / "controlnet_depth")
    save_lora(transformer, folder / "loras" / "style.safetensors", ("attn1.to_q", "attn1.to_v"))
    return folder
