"""FLUX.2: dev, and Klein in few steps. Pictures are read beside the words."""

from __future__ import annotations

from typing import Any

from .base import Ask, Embedding, Task, Words
from .flow import flow_family, place_of


def _read(pipe: Any, words: Words) -> Embedding:
    embeds, _ = pipe.encode_prompt(words.text, device=place_of(pipe))
    return {"prompt_embeds": embeds}


def _read_klein(pipe: Any, words: Words) -> Embedding:
    told = _read(pipe, words)
    if words.guided and not pipe.config.is_distilled:
        told["negative_prompt_embeds"], _ = pipe.encode_prompt("", device=place_of(pipe))
    return told


def _arguments(ask: Ask) -> dict[str, Any]:
    given: dict[str, Any] = {"guidance_scale": ask.guidance}
    if ask.references and ask.task is Task.TEXT:
        given["image"] = list(ask.references)
    elif ask.references:
        given["image_reference"] = list(ask.references)
    return given


FLUX2 = flow_family("flux2", {(Task.TEXT, False): "Flux2Pipeline"}, _read, _arguments, patches=1)

FLUX2_KLEIN = flow_family(
    "flux2_klein",
    {
        (Task.TEXT, False): "Flux2KleinPipeline",
        (Task.INPAINT, False): "Flux2KleinInpaintPipeline",
    },
    _read_klein,
    _arguments,
    patches=1,
)
