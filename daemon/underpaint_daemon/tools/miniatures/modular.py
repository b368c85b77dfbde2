"""Modular pipelines, as diffusers saves them: the same networks as their families' miniatures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import diffusers

from .flux import flux
from .flux2 import flux2_klein
from .unets import sdxl_bare
from .z_image import z_image


def _rebuilt(write: Callable[[Path], Path], kind: str, folder: Path) -> Path:
    """A family's miniature, saved by a modular pipeline's class."""
    with TemporaryDirectory() as beside:
        whole = diffusers.DiffusionPipeline.from_pretrained(write(Path(beside)))
        pipe = getattr(diffusers, kind)()
        known = whole.components.items()
        pipe.update_components(
            **{name: part for name, part in known if part and name in pipe.component_names}
        )
        pipe.save_pretrained(str(folder), overwrite_modular_index=True)
    return folder


def modular(folder: Path) -> Path:
    """Z-Image: guided by a part of its own, from words or a picture."""
    return _rebuilt(z_image, "ZImageModularPipeline", folder)


def modular_flux(folder: Path) -> Path:
    """FLUX.1: guided by an embedding, without a negative prompt."""
    return _rebuilt(flux, "FluxModularPipeline", folder)


def modular_sdxl(folder: Path) -> Path:
    """SDXL: a UNet and ε, in place of a transformer and flow."""
    return _rebuilt(sdxl_bare, "StableDiffusionXLModularPipeline", folder)


def modular_text(folder: Path) -> Path:
    """FLUX.2 Klein: whose blocks begin from no picture."""
    return _rebuilt(flux2_klein, "Flux2KleinModularPipeline", folder)
