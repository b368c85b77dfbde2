"""What a request says of its parts: objects of a mesh, regions of a picture."""

from __future__ import annotations

from dataclasses import replace

from .images import ImageRequest, InpaintRequest, RegionPrompt, UpscaleRequest
from .painting import Lora, Prompt
from .textures import ObjectPrompt, TextureRequest

_Request = ImageRequest | InpaintRequest | UpscaleRequest | TextureRequest


def parts_of(request: _Request) -> dict[str, RegionPrompt | ObjectPrompt]:
    """A request's parts, in their order, by where they stand in it (`regions[0]`)."""
    if isinstance(request, UpscaleRequest):
        return {}
    if isinstance(request, TextureRequest):
        return {f"object_prompts[{i}]": one for i, one in enumerate(request.object_prompts)}
    return {f"regions[{i}]": one for i, one in enumerate(request.regions)}


def loras_of(request: _Request) -> tuple[Lora, ...]:
    """Every LoRA of a request and of its parts."""
    return (*request.loras, *(lora for one in parts_of(request).values() for lora in one.loras))


def words_of(part: Prompt, whole: Prompt) -> Prompt:
    """What a part is painted by: without a text of its own, by that of the whole."""
    return part if part.text.strip() else replace(part, text=whole.text)
