"""Z-Image and Z-Image Turbo."""

from __future__ import annotations

from typing import Any

from .base import Ask, Embedding, Task, Words
from .flow import flow_family, named, place_of


def _read(pipe: Any, words: Words) -> Embedding:
    encoded = pipe.encode_prompt(
        words.text,
        device=place_of(pipe),
        do_classifier_free_guidance=words.guided,
        negative_prompt=words.negative,
    )
    return named(("prompt_embeds", "negative_prompt_embeds"), encoded)


def _arguments(ask: Ask) -> dict[str, Any]:
    """Its pipelines add so many times the difference to the guided answer: 0 is off there."""
    return {"guidance_scale": max(0.0, ask.guidance - 1)}


Z_IMAGE = flow_family(
    "z_image",
    {
        (Task.TEXT, False): "ZImagePipeline",
        (Task.TEXT, True): "ZImageControlNetPipeline",
        (Task.IMAGE, False): "ZImageImg2ImgPipeline",
        (Task.INPAINT, False): "ZImageInpaintPipeline",
        (Task.INPAINT, True): "ZImageControlNetInpaintPipeline",
    },
    _read,
    _arguments,
)
