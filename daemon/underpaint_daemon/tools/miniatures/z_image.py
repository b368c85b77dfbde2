"""Z-Image, with the ControlNet that shares its layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import ZImageControlNetModel, ZImagePipeline, ZImageTransformer2DModel

from .parts import awake, flow, save_lora
from .texts import WIDTH, qwen3_encoder, qwen_tokenizer
from .vaes import kl


def z_image(folder: Path) -> Path:
    """Turbo's layout, with a union ControlNet (canny, depth, …) and a LoRA."""
    torch.manual_seed(71)
    shared: dict[str, Any] = {"dim": 32, "n_refiner_layers": 1, "n_heads": 2, "n_kv_heads": 2}
    transformer = awake(
        ZImageTransformer2DModel(
            in_channels=16,
            n_layers=3,
            cap_feat_dim=WIDTH,
            axes_dims=[4, 6, 6],
            axes_lens=[1024, 64, 64],
            **shared,
        )
    )
    ZImagePipeline(
        transformer=transformer,
        scheduler=flow(),
        vae=kl(16),
        text_encoder=qwen3_encoder(3, language_head=False),
        tokenizer=qwen_tokenizer(),
    ).save_pretrained(folder)
    network = ZImageControlNetModel(
        control_layers_places=[0, 2],
        control_refiner_layers_places=[0],
        control_in_dim=33,
        add_control_noise_refiner="control_noise_refiner",
        **shared,
    )
    awake(network).save_pretrained(folder / "controlnet_depth")
    save_lora(
        transformer, folder / "loras" / "style.safetensors", ("attention.to_q", "attention.to_v")
    )
    return folder
