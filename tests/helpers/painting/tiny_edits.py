"""Tiny models with random weights that edit or finish pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    StableDiffusionDepth2ImgPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionXLImg2ImgPipeline,
)
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from . import tiny_model


def build_edit(folder: Path) -> Path:
    """An InstructPix2Pix-like model: the picture goes into the UNet's own channels."""
    torch.manual_seed(10)
    StableDiffusionInstructPix2PixPipeline(
        **_plain_parts(tiny_model._unet(tiny_model.WIDTH, in_channels=8)),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    tiny_model._paints_quickly(folder)
    return folder


def build_depth(folder: Path) -> Path:
    """A depth2img-like model: depth goes into the UNet's own channels."""
    torch.manual_seed(11)
    StableDiffusionDepth2ImgPipeline(
        **_plain_parts(tiny_model._unet(tiny_model.WIDTH, in_channels=5)),
        depth_estimator=None,
        feature_extractor=None,
    ).save_pretrained(folder)
    tiny_model._paints_quickly(folder)
    return folder


def build_refiner(folder: Path) -> Path:
    """A model like SDXL's refiner: the second text encoder alone, five numbers beside it."""
    torch.manual_seed(12)
    unet = tiny_model._unet(
        tiny_model.WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=5 * 8 + tiny_model.WIDTH,
    )
    StableDiffusionXLImg2ImgPipeline(
        vae=tiny_model._vae(),
        text_encoder=None,
        text_encoder_2=CLIPTextModelWithProjection(tiny_model._text_config()).eval(),
        tokenizer=None,
        tokenizer_2=tiny_model._tokenizer(),
        unet=unet,
        scheduler=tiny_model._scheduler(False),
        requires_aesthetics_score=True,
        force_zeros_for_empty_prompt=False,
        add_watermarker=False,
    ).save_pretrained(folder)
    tiny_model._paints_quickly(folder)
    return folder


def _plain_parts(unet: Any) -> dict[str, Any]:
    return {
        "vae": tiny_model._vae(),
        "text_encoder": CLIPTextModel(tiny_model._text_config()).eval(),
        "tokenizer": tiny_model._tokenizer(),
        "unet": unet,
        "scheduler": tiny_model._scheduler(False),
    }
