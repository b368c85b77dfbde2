"""Miniatures: models of each family's true architecture, narrowed, with random weights.

No pretrained weights are needed to prove that a family loads, paints, follows a mask, a control
and a LoRA, stops when it is told to, and comes out the same twice. What they paint means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from .flux import flux, flux_control, flux_fill, flux_kontext, flux_schnell
from .flux2 import flux2, flux2_klein
from .foreign import auto, auto_image
from .modular import modular, modular_flux, modular_sdxl, modular_text
from .others import chroma, sana
from .qwen import qwen_edit, qwen_edit_plus, qwen_image
from .sd3 import sd3
from .unets import sd2_depth, sd15, sd15_edit, sdxl, sdxl_edit, sdxl_refiner
from .z_image import z_image

MINIATURES: Mapping[str, Callable[[Path], Path]] = {
    "sd15": sd15,
    "sdxl": sdxl,
    "sd15_edit": sd15_edit,
    "sdxl_edit": sdxl_edit,
    "sd2_depth": sd2_depth,
    "sdxl_refiner": sdxl_refiner,
    "sd35": sd3,
    "flux1": flux,
    "flux1_schnell": flux_schnell,
    "flux1_fill": flux_fill,
    "flux1_kontext": flux_kontext,
    "flux1_control": flux_control,
    "flux2": flux2,
    "flux2_klein": flux2_klein,
    "qwen_image": qwen_image,
    "qwen_edit": qwen_edit,
    "qwen_edit_plus": qwen_edit_plus,
    "z_image": z_image,
    "chroma": chroma,
    "sana": sana,
    "auto": auto,
    "auto_image": auto_image,
    "modular": modular,
    "modular_flux": modular_flux,
    "modular_sdxl": modular_sdxl,
    "modular_text": modular_text,
}
"""By what they prove: each writes a model's folder and returns it."""
