"""FLUX.1 and what was made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    FluxControlNetModel,
    FluxControlPipeline,
    FluxFillPipeline,
    FluxKontextPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
)

from .parts import awake, flow, save_lora
from .texts import WIDTH, clip_encoder, clip_tokenizer, t5_encoder, t5_tokenizer
from .vaes import kl

_LORA_LAYERS = ("attn.to_q", "attn.to_v")
_UNION_MODES = 7


def flux(folder: Path) -> Path:
    """Dev, guided by an embedding, with a depth ControlNet, a union of them, and a LoRA."""
    _save(FluxPipeline, folder, _shape())
    _save_networks(folder, guidance_embeds=True)
    return folder


def flux_schnell(folder: Path) -> Path:
    """Schnell: no guidance at all."""
    _save(FluxPipeline, folder, _shape(guidance_embeds=False), shift=1.0)
    _save_networks(folder, guidance_embeds=False)
    return folder


def flux_fill(folder: Path) -> Path:
    """Fill: the picture around the mask and the mask itself are input channels."""
    _save(FluxFillPipeline, folder, _shape(in_channels=384))
    return folder


def flux_kontext(folder: Path) -> Path:
    """Kontext: a reference picture is read beside the picture."""
    _save(FluxKontextPipeline, folder, _shape())
    return folder


def flux_control(folder: Path) -> Path:
    """Depth-dev: the control picture is input channels."""
    _save(FluxControlPipeline, folder, _shape(in_channels=128))
    return folder


def _shape(**changes: Any) -> dict[str, Any]:
    return {
        "in_channels": 64,
        "out_channels": 64,
        "num_layers": 2,
        "num_single_layers": 2,
        "attention_head_dim": 16,
        "num_attention_heads": 2,
        "joint_attention_dim": WIDTH,
        "pooled_projection_dim": WIDTH,
        "guidance_embeds": True,
        "axes_dims_rope": (4, 6, 6),
        **changes,
    }


def _save(kind: Any, folder: Path, shape: dict[str, Any], shift: float = 3.0) -> None:
    torch.manual_seed(41)
    transformer = awake(FluxTransformer2DModel(**shape))
    kind(
        transformer=transformer,
        scheduler=flow(shift=shift, dynamic=shift != 1.0),
        vae=kl(16),
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=t5_encoder(),
        tokenizer_2=t5_tokenizer(),
    ).save_pretrained(folder)
    save_lora(transformer, folder / "loras" / "style.safetensors", _LORA_LAYERS)


def _save_networks(folder: Path, *, guidance_embeds: bool) -> None:
    shape = _shape(num_layers=1, num_single_layers=1, guidance_embeds=guidance_embeds)
    del shape["out_channels"]
    awake(FluxControlNetModel(**shape)).save_pretrained(folder / "controlnet_depth")
    union = FluxControlNetModel(**shape, num_mode=_UNION_MODES)
    awake(union).save_pretrained(folder / "controlnet_canny")
