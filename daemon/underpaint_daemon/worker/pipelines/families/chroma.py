"""Chroma: FLUX's layout without its guidance, and with negative prompts."""

from __future__ import annotations

from typing import Any

from .base import Embedding, Task, Words
from .flow import flow_family, named, place_of

_NAMES = ("prompt_embeds", "", "prompt_attention_mask")


def _read(pipe: Any, words: Words) -> Embedding:
    encoded = pipe.encode_prompt(
        words.text,
        words.negative,
        device=place_of(pipe),
        do_classifier_free_guidance=words.guided,
    )
    names = (*_NAMES, *(name and f"negative_{name}" for name in _NAMES))
    told = named(names, encoded)
    return {name: value for name, value in told.items() if name}


CHROMA = flow_family(
    "chroma",
    {
        (Task.TEXT, False): "ChromaPipeline",
        (Task.IMAGE, False): "ChromaImg2ImgPipeline",
    },
    _read,
    patches=2,
)
