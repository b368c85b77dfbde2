"""Stable Diffusion 1.5 and XL, and those of their make that edit or finish pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    StableDiffusionDepth2ImgPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from .unet_parts import (
    WIDTH,
    controlnet,
    paints_quickly,
    save_ip_adapter,
    save_unet_lora,
    scheduler,
    text_config,
    tokenizer,
    unet,
    vae,
)


def sd15(folder: Path, *, zero_snr: bool = True) -> Path:
    """An SD 1.5-like model (f4, 4 latent channels) with two ControlNets, a LoRA, an IP-Adapter."""
    torch.manual_seed(7)
    network = unet(WIDTH)
    pipeline = StableDiffusionPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(text_config()).eval(),
        tokenizer=tokenizer(),
        unet=network,
        scheduler=scheduler(zero_snr),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    for kind in ("depth", "normal"):
        controlnet(network).save_pretrained(folder / f"controlnet_{kind}")
    save_unet_lora(network, folder / "loras" / "style.safetensors")
    save_ip_adapter(network, folder / "ip_adapter")
    (folder / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    paints_quickly(folder)
    return folder


def sdxl_bare(folder: Path) -> Path:
    """An SDXL-like model with a depth ControlNet."""
    torch.manual_seed(8)
    network = _unet_of_xl()
    StableDiffusionXLPipeline(**_parts_of_xl(network)).save_pretrained(folder)
    controlnet(network).save_pretrained(folder / "controlnet_depth")
    paints_quickly(folder)
    return folder


def sdxl(folder: Path) -> Path:
    """The same with a LoRA and an IP-Adapter."""
    sdxl_bare(folder)
    network = UNet2DConditionModel.from_pretrained(folder / "unet")
    save_unet_lora(network, folder / "loras" / "style.safetensors")
    save_ip_adapter(network, folder / "ip_adapter")
    return folder


def sd15_edit(folder: Path) -> Path:
    """An InstructPix2Pix-like model: the picture goes into the UNet's own channels."""
    torch.manual_seed(10)
    network = unet(WIDTH, in_channels=8)
    pipeline = StableDiffusionInstructPix2PixPipeline(
        **_plain_parts(network),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _saved_with_lora(pipeline, folder)


def sdxl_edit(folder: Path) -> Path:
    """An InstructPix2Pix-like model of SDXL's make."""
    torch.manual_seed(13)
    network = _unet_of_xl(in_channels=8)
    return _saved_with_lora(
        StableDiffusionXLInstructPix2PixPipeline(**_parts_of_xl(network)), folder
    )


def _unet_of_xl(**more: Any) -> UNet2DConditionModel:
    return unet(
        2 * WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
        **more,
    )


def _parts_of_xl(network: Any) -> dict[str, Any]:
    return {
        "vae": vae(),
        "text_encoder": CLIPTextModel(text_config()).eval(),
        "text_encoder_2": CLIPTextModelWithProjection(text_config()).eval(),
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer(),
        "unet": network,
        "scheduler": scheduler(False),
        "add_watermarker": False,
    }


def sd2_depth(folder: Path) -> Path:
    """A depth2img-like model: depth goes into the UNet's own channels."""
    torch.manual_seed(11)
    network = unet(WIDTH, in_channels=5)
    pipeline = StableDiffusionDepth2ImgPipeline(
        **_plain_parts(network), depth_estimator=None, feature_extractor=None
    )
    return _saved_with_lora(pipeline, folder)


def sdxl_refiner(folder: Path) -> Path:
    """A model like SDXL's refiner: the second text encoder alone, five numbers beside it."""
    torch.manual_seed(12)
    network = unet(
        WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=5 * 8 + WIDTH,
    )
    StableDiffusionXLImg2ImgPipeline(
        vae=vae(),
        text_encoder=None,
        text_encoder_2=CLIPTextModelWithProjection(text_config()).eval(),
        tokenizer=None,
        tokenizer_2=tokenizer(),
        unet=network,
        scheduler=scheduler(False),
        requires_aesthetics_score=True,
        force_zeros_for_empty_prompt=False,
        add_watermarker=False,
    ).save_pretrained(folder)
    paints_quickly(folder)
    return folder


def _plain_parts(network: Any) -> dict[str, Any]:
    return {
        "vae": vae(),
        "text_encoder": CLIPTextModel(text_config()).eval(),
        "tokenizer": tokenizer(),
        "unet": network,
        "scheduler": scheduler(False),
    }


def _saved_with_lora(pipeline: Any, folder: Path) -> Path:
    pipeline.save_pretrained(folder)
    save_unet_lora(pipeline.unet, folder / "loras" / "style.safetensors")
    paints_quickly(folder)
    return folder
