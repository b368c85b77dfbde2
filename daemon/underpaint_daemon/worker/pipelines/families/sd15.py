"""Stable Diffusion 1.x and 2.x, and the starter model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import Embedding, Family, Task, TextPart
from .named import split_of
from .text import encode, windows


def _embed(parts: Mapping[str, Any], index: Mapping[str, Any], texts: tuple[str, str]) -> Embedding:
    del index
    ids = windows(parts["tokenizer"], list(texts), split_of(parts, 0))
    hidden, _ = encode(parts["text_encoder"], ids, layer=None)
    return {"prompt_embeds": hidden[:1], "negative_prompt_embeds": hidden[1:]}


SD15 = Family(
    name="sd15",
    pipelines={
        (Task.TEXT, False): "StableDiffusionPipeline",
        (Task.TEXT, True): "StableDiffusionControlNetPipeline",
        (Task.IMAGE, False): "StableDiffusionImg2ImgPipeline",
        (Task.IMAGE, True): "StableDiffusionControlNetImg2ImgPipeline",
        (Task.INPAINT, False): "StableDiffusionInpaintPipeline",
        (Task.INPAINT, True): "StableDiffusionControlNetInpaintPipeline",
    },
    control_argument={
        Task.TEXT: "image",
        Task.IMAGE: "control_image",
        Task.INPAINT: "control_image",
    },
    text_parts=(TextPart("tokenizer", "text_encoder", "CLIPTextModel"),),
    fixed={
        "safety_checker": None,
        "feature_extractor": None,
        "image_encoder": None,
        "requires_safety_checker": False,
    },
    embed=_embed,
)
