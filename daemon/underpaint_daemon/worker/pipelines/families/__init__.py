"""One small file for each family of models: what differs between them, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from .auto import FOREIGN, foreign_family
from .base import Family, Task
from .chroma import CHROMA
from .depth2img import SD2_DEPTH
from .flux1 import FLUX1, FLUX1_CONTROL, FLUX1_FILL, FLUX1_KONTEXT
from .flux2 import FLUX2, FLUX2_KLEIN
from .pix2pix import SD15_EDIT, SDXL_EDIT
from .qwen import QWEN_EDIT, QWEN_EDIT_PLUS, QWEN_IMAGE
from .sana import SANA
from .sd15 import SD15
from .sd35 import SD35
from .sdxl import SDXL, SDXL_REFINER
from .z_image import Z_IMAGE

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        SD15, SDXL, SD35, FLUX1, FLUX1_FILL, FLUX1_KONTEXT, FLUX1_CONTROL, FLUX2, FLUX2_KLEIN,
        QWEN_IMAGE, QWEN_EDIT, QWEN_EDIT_PLUS, Z_IMAGE, CHROMA, SANA, SD15_EDIT, SDXL_EDIT,
        SD2_DEPTH, SDXL_REFINER, *FOREIGN.values(),
    )
}  # fmt: skip

__all__ = ["FAMILIES", "FOREIGN", "Family", "Task", "foreign_family"]
