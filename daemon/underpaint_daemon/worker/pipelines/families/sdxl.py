"""Stable Diffusion XL and what is distilled from it; its refiner (Podell et al. 2023), which
finishes pictures and reads words by the second encoder alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .base import Embedding, Family, Task, TextPart
from .named import split_of
from .text import encode, windows


def _encode_both(parts: Mapping[str, Any], texts: list[str]) -> tuple[Tensor, Tensor]:
    """Hidden states of both encoders side by side, and the second one's pooled output."""
    ids = windows(parts["tokenizer"], texts, split_of(parts, 0))
    first, _ = encode(parts["text_encoder"], ids, layer=-2)
    second, pooled = _encode_second(parts, texts, encoder=1)
    return torch.cat((first, second), -1), pooled


def _encode_second(
    parts: Mapping[str, Any], texts: list[str], encoder: int
) -> tuple[Tensor, Tensor]:
    """`encoder`: its place among those that the model has."""
    ids = windows(parts["tokenizer_2"], texts, split_of(parts, encoder))
    return encode(parts["text_encoder_2"], ids, layer=-2)


def _embed(parts: Mapping[str, Any], index: Mapping[str, Any], texts: tuple[str, str]) -> Embedding:
    return _named(*_encode_both(parts, list(texts)), index, texts)


def _embed_refining(
    parts: Mapping[str, Any], index: Mapping[str, Any], texts: tuple[str, str]
) -> Embedding:
    return _named(*_encode_second(parts, list(texts), encoder=0), index, texts)


def _named(
    hidden: Tensor, pooled: Tensor, index: Mapping[str, Any], texts: tuple[str, str]
) -> Embedding:
    if not texts[1] and index.get("force_zeros_for_empty_prompt", True):
        hidden[1], pooled[1] = 0, 0
    return {
        "prompt_embeds": hidden[:1],
        "negative_prompt_embeds": hidden[1:],
        "pooled_prompt_embeds": pooled[:1],
        "negative_pooled_prompt_embeds": pooled[1:],
    }


SDXL = Family(
    name="sdxl",
    pipelines={
        (Task.TEXT, False): "StableDiffusionXLPipeline",
        (Task.TEXT, True): "StableDiffusionXLControlNetPipeline",
        (Task.IMAGE, False): "StableDiffusionXLImg2ImgPipeline",
        (Task.IMAGE, True): "StableDiffusionXLControlNetImg2ImgPipeline",
        (Task.INPAINT, False): "StableDiffusionXLInpaintPipeline",
        (Task.INPAINT, True): "StableDiffusionXLControlNetInpaintPipeline",
    },
    control_argument={
        Task.TEXT: "image",
        Task.IMAGE: "control_image",
        Task.INPAINT: "control_image",
    },
    text_parts=(
        TextPart("tokenizer", "text_encoder", "CLIPTextModel"),
        TextPart("tokenizer_2", "text_encoder_2", "CLIPTextModelWithProjection"),
    ),
    fixed={"feature_extractor": None, "image_encoder": None, "add_watermarker": False},
    embed=_embed,
)

SDXL_REFINER = replace(
    SDXL,
    name="sdxl_refiner",
    pipelines={
        (Task.IMAGE, False): "StableDiffusionXLImg2ImgPipeline",
        (Task.INPAINT, False): "StableDiffusionXLInpaintPipeline",
    },
    text_parts=SDXL.text_parts[1:],
    fixed={**SDXL.fixed, "text_encoder": None, "tokenizer": None},
    embed=_embed_refining,
)
