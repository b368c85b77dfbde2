"""FLUX.1: dev and schnell, Fill, Kontext, and the models whose control is input channels."""

from __future__ import annotations

from typing import Any

from .base import Ask, Embedding, Task, Words
from .flow import flow_family, named, place_of

_PATCH = 2


def _read(pipe: Any, words: Words) -> Embedding:
    embeds, pooled, _ = pipe.encode_prompt(words.text, None, device=place_of(pipe))
    return named(("prompt_embeds", "pooled_prompt_embeds"), (embeds, pooled))


def _kontext(ask: Ask) -> dict[str, Any]:
    """The size that is asked for, in place of the nearest of those it was trained at."""
    given: dict[str, Any] = {"guidance_scale": ask.guidance, "_auto_resize": False}
    given["max_area"] = ask.size[0] * ask.size[1]
    if ask.references:
        name = "image" if ask.task is Task.TEXT else "image_reference"
        given[name] = ask.references[0]
    return given


FLUX1 = flow_family(
    "flux1",
    {
        (Task.TEXT, False): "FluxPipeline",
        (Task.TEXT, True): "FluxControlNetPipeline",
        (Task.IMAGE, False): "FluxImg2ImgPipeline",
        (Task.IMAGE, True): "FluxControlNetImg2ImgPipeline",
        (Task.INPAINT, False): "FluxInpaintPipeline",
        (Task.INPAINT, True): "FluxControlNetInpaintPipeline",
    },
    _read,
    patches=_PATCH,
)

FLUX1_FILL = flow_family(
    "flux1_fill", {(Task.INPAINT, False): "FluxFillPipeline"}, _read, patches=_PATCH
)

FLUX1_KONTEXT = flow_family(
    "flux1_kontext",
    {
        (Task.TEXT, False): "FluxKontextPipeline",
        (Task.INPAINT, False): "FluxKontextInpaintPipeline",
    },
    _read,
    _kontext,
    patches=_PATCH,
)

FLUX1_CONTROL = flow_family(
    "flux1_control",
    {
        (Task.TEXT, True): "FluxControlPipeline",
        (Task.IMAGE, True): "FluxControlImg2ImgPipeline",
        (Task.INPAINT, True): "FluxControlInpaintPipeline",
    },
    _read,
    patches=_PATCH,
    control_channels=True,
)
