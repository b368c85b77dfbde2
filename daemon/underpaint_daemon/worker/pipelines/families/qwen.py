"""Qwen-Image, and the models that edit pictures by words."""

from __future__ import annotations

from typing import Any

from .base import Ask, Embedding, Task, Words
from .flow import flow_family, named, place_of, spoken

_PATCH = 2
_EMPTY = " "  # what its makers give where there is no negative prompt


def _read(pipe: Any, words: Words) -> Embedding:
    device = place_of(pipe)
    told = named(
        ("prompt_embeds", "prompt_embeds_mask"), pipe.encode_prompt(words.text, device=device)
    )
    if words.guided:
        away = pipe.encode_prompt(words.negative or _EMPTY, device=device)
        told |= named(("negative_prompt_embeds", "negative_prompt_embeds_mask"), away)
    return told


def _arguments(ask: Ask) -> dict[str, Any]:
    return {"true_cfg_scale": ask.guidance}


def _one(ask: Ask) -> dict[str, Any]:
    """In inpainting the picture itself is what it reads."""
    picture = {"image": ask.references[0]} if ask.references and ask.task is Task.TEXT else {}
    return {"true_cfg_scale": ask.guidance, **picture}


def _several(ask: Ask) -> dict[str, Any]:
    return {"true_cfg_scale": ask.guidance, "image": list(ask.references)}


QWEN_IMAGE = flow_family(
    "qwen_image",
    {
        (Task.TEXT, False): "QwenImagePipeline",
        (Task.TEXT, True): "QwenImageControlNetPipeline",
        (Task.IMAGE, False): "QwenImageImg2ImgPipeline",
        (Task.INPAINT, False): "QwenImageInpaintPipeline",
    },
    _read,
    _arguments,
    patches=_PATCH,
)

QWEN_EDIT = flow_family(
    "qwen_edit",
    {
        (Task.TEXT, False): "QwenImageEditPipeline",
        (Task.INPAINT, False): "QwenImageEditInpaintPipeline",
    },
    spoken,
    _one,
    patches=_PATCH,
    whole_pictures=True,
)

QWEN_EDIT_PLUS = flow_family(
    "qwen_edit_plus",
    {(Task.TEXT, False): "QwenImageEditPlusPipeline"},
    spoken,
    _several,
    patches=_PATCH,
)
