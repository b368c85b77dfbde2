"""Stable Diffusion XL and what is distilled from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .base import Embedding, Family, Task, TextPart
from .named import split_of
from .text import encode, windows


def _encode_both(parts: Mapping[str, Any], texts: list[str]) -> tuple[Tensor, Tensor]:
    """Hidden states of both encoders side by side, and the second one's pooled output."""
    ids = [
        windows(parts[name], texts, split_of(parts, encoder))
        for encoder, name in enumerate(("tokenizer", "tokenizer_2"))
    ]
    first, _ = encode(parts["text_encoder"], ids[0], layer=-2)
    second, pooled = encode(parts["text_encoder_2"], ids[1], layer=-2)
    return torch.cat((first, second), -1), pooled


def _embed(parts: Mapping[str, Any], index: Mapping[str, Any], texts: tuple[str, str]) -> Embedding:
    hidden, pooled = _encode_both(parts, list(texts))
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
