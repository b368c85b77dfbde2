"""InstructPix2Pix (Brooks et al. 2023): a picture and an instruction; the picture goes into the
UNet's own channels, and is weighed by a guidance scale of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .base import Ask, Family, Task
from .sd15 import SD15
from .sdxl import SDXL


def _guidance(ask: Ask) -> dict[str, Any]:
    return {"guidance_scale": ask.guidance, "image_guidance_scale": ask.image_guidance}


def _editor(plain: Family, pipeline: str) -> Family:
    return replace(
        plain,
        name=f"{plain.name}_edit",
        pipelines={(Task.IMAGE, False): pipeline},
        arguments=_guidance,
        whole_noise=True,
    )


SD15_EDIT = _editor(SD15, "StableDiffusionInstructPix2PixPipeline")
SDXL_EDIT = _editor(SDXL, "StableDiffusionXLInstructPix2PixPipeline")
