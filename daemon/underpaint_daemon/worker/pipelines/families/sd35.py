"""Stable Diffusion 3 and 3.5."""

from __future__ import annotations

from typing import Any

from .base import Embedding, Task, Words
from .flow import flow_family, named, place_of


def _read(pipe: Any, words: Words) -> Embedding:
    encoded = pipe.encode_prompt(
        words.text,
        None,
        None,
        negative_prompt=words.negative,
        do_classifier_free_guidance=words.guided,
        device=place_of(pipe),
    )
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds")
    return named((*names, "negative_pooled_prompt_embeds"), encoded)


SD35 = flow_family(
    "sd35",
    {
        (Task.TEXT, False): "StableDiffusion3Pipeline",
        (Task.TEXT, True): "StableDiffusion3ControlNetPipeline",
        (Task.IMAGE, False): "StableDiffusion3Img2ImgPipeline",
        (Task.INPAINT, False): "StableDiffusion3InpaintPipeline",
    },
    _read,
)
