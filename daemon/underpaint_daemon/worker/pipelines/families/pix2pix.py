"""InstructPix2Pix (Brooks et al. 2023): a picture and an instruction; the picture goes into the
UNet's own channels, and is weighed by a guidance scale of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .base import Ask, Task
from .sd15 import SD15
from .sdxl import SDXL


def _guidance(ask: Ask) -> dict[str, Any]:
    return {"guidance_scale": ask.guidance, "image_guidance_scale": ask.image_guidance}


SD15_EDIT = replace(
    SD15,
    name="sd15_edit",
    pipelines={(Task.IMAGE, False): "StableDiffusionInstructPix2PixPipeline"},
    arguments=_guidance,
    whole_noise=True,
)

SDXL_EDIT = replace(
    SDXL,
    name="sdxl_edit",
    pipelines={(Task.IMAGE, False): "StableDiffusionXLInstructPix2PixPipeline"},
    arguments=_guidance,
    whole_noise=True,
)
