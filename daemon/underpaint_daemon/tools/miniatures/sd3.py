"""Stable Diffusion 3.5 (medium's layout: dual attention, normalised keys)."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import SD3ControlNetModel, SD3Transformer2DModel, StableDiffusion3Pipeline

from .parts import awake, flow, save_lora
from .texts import WIDTH, clip_encoder, clip_tokenizer, t5_encoder, t5_tokenizer
from .vaes import kl


def sd3(folder: Path) -> Path:
    """With a depth ControlNet and a LoRA."""
    torch.manual_seed(31)
    shape = {
        "sample_size": 16,
        "patch_size": 2,
        "in_channels": 16,
        "num_layers": 3,
        "attention_head_dim": 8,
        "num_attention_heads": 4,
        "joint_attention_dim": 2 * WIDTH,
        "caption_projection_dim": 32,
        "pooled_projection_dim": 2 * WIDTH,
        "out_channels": 16,
        "pos_embed_max_size": 16,
        "qk_norm": "rms_norm",
        "dual_attention_layers": (0, 1),
    }
    transformer = awake(SD3Transformer2DModel(**shape))
    StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=flow(),
        vae=kl(16),
        text_encoder=clip_encoder(projection=True),
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip_encoder(projection=True),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=_wide_t5(),
        tokenizer_3=t5_tokenizer(),
    ).save_pretrained(folder)
    controlnet = SD3ControlNetModel(**{**shape, "num_layers": 2, "dual_attention_layers": (0,)})
    awake(controlnet).save_pretrained(folder / "controlnet_depth")
    save_lora(transformer, folder / "loras" / "style.safetensors", ("attn.to_q", "attn.to_v"))
    return folder


def _wide_t5() -> object:
    """CLIP's two widths side by side fill T5's."""
    from transformers import T5Config, T5EncoderModel

    small = t5_encoder().config.to_dict()
    return T5EncoderModel(T5Config(**{**small, "d_model": 2 * WIDTH})).eval()
