"""Sana: latents a thirty-second of the side."""

from __future__ import annotations

from typing import Any

from ..foreign.classes import parameters
from .base import Ask, Embedding, Task, Words
from .flow import flow_family, named, place_of

_INSTRUCTION = "complex_human_instruction"


def _read(pipe: Any, words: Words) -> Embedding:
    """With the makers' instruction before the words, which diffusers' call gives the encoder."""
    instruction = parameters(type(pipe).__call__)[_INSTRUCTION].default
    encoded = pipe.encode_prompt(
        words.text,
        words.guided,
        words.negative,
        device=place_of(pipe),
        **{_INSTRUCTION: instruction},
    )
    names = ("prompt_embeds", "prompt_attention_mask")
    told = named((*names, *(f"negative_{name}" for name in names)), encoded)
    # The call's own default, an empty text, is refused beside an encoded one.
    return told | {"negative_prompt": None}


def _arguments(ask: Ask) -> dict[str, Any]:
    """At the size that is asked for, not the nearest of its trained ones."""
    return {"guidance_scale": ask.guidance, "use_resolution_binning": False}


SANA = flow_family(
    "sana",
    {(Task.TEXT, False): "SanaPipeline", (Task.TEXT, True): "SanaControlNetPipeline"},
    _read,
    _arguments,
)
