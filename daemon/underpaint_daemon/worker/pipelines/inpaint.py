"""Inpainting: repaint what the mask marks, and put it back so that all else stays bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import InpaintRequest
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.job_contract import Reporter
from underpaint_daemon.common.single_files import INPAINT_CHANNELS

from .batch import Plan, paint
from .canvas import Canvas, around, compose, fade, whole
from .controls.images import Sources
from .controls.networks import prepare_controls
from .families import Task
from .latents import from_image8, vae_scale
from .loading.components import LoadedModel
from .memory import Tier
from .references.beside import read_beside, through_networks
from .regions import read_regions
from .steps import changes_nothing

Image8 = npt.NDArray[np.uint8]
Arrays = Mapping[str, npt.NDArray[Any]]


def run_inpaint(
    model: LoadedModel, request: InpaintRequest, arrays: Arrays, tier: Tier, reporter: Reporter
) -> list[Image8]:
    """The repainted pictures, of the image's own size and channels.

    The diffusers pipelines keep the unmasked latents, but their VAE changes every pixel a little:
    the new paint is laid over the original at full resolution, fading in inside the mask only.
    Raises UnderpaintErrors and JobCancelled.
    """
    image, mask = arrays[request.image.sha256], arrays[request.mask.sha256]
    if not mask.any():
        reporter.warn("The mask marks nothing: the picture comes back as it was.")
    if changes_nothing(request.strength) or not mask.any():
        return [image.copy() for _ in range(request.batch)]
    if request.controls and model.denoiser.config.in_channels == INPAINT_CHANNELS:
        raise RequestError(
            ErrorCode.CONTROL_MISSING,
            f"Model {model.info.name!r} was made for inpainting: it takes no ControlNet",
            hint="Leave out the controls (--control none), or take a text-to-image model.",
        )
    canvas = _canvas(model, request, mask)
    cell = max(vae_scale(model.vae), ABILITIES[model.family.name].cell)
    hole = canvas.mask(mask, cell)
    sources = Sources(request.view, arrays, canvas, request.image, hole, pattern=request.pattern)
    weight = fade(mask, request.feather)
    asked, family = request.controls or (), model.family
    beside = read_beside(model, request.references, asked, sources)
    networks = through_networks(asked, family.name)
    picture = canvas.colour(image)
    shown = Image.fromarray(picture) if family.whole_pictures else from_image8(picture)
    plan = Plan(
        request=request,
        task=Task.INPAINT,
        canvas=canvas,
        conditioning=prepare_controls(model, networks, sources, reporter.warn),
        finish=lambda painted: _paste(image, canvas, painted, weight),
        strength=request.strength,
        start={"image": shown, "mask_image": _mask(hole)},
        beside=beside,
        regions=read_regions(model, request, arrays, canvas, reporter.warn),
    )
    return paint(model, plan, tier, reporter)


def _mask(hole: npt.NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(hole)[None, None]


def _canvas(model: LoadedModel, request: InpaintRequest, mask: Image8) -> Canvas:
    cell = ABILITIES[model.family.name].cell
    if request.padding is None:
        return whole((mask.shape[0], mask.shape[1]), cell)
    return around(mask, request.padding, _native_side(model), cell)


def _paste(
    image: Image8, canvas: Canvas, painted: Image8, weight: npt.NDArray[np.float32]
) -> Image8:
    top, left, bottom, right = canvas.box
    result = image.copy()
    part = (slice(top, bottom), slice(left, right))
    result[part] = compose(image[part], canvas.back(painted), weight[part])
    return result


def _native_side(model: LoadedModel) -> int:
    """Pixels a side that the model was trained at, as its UNet's config says."""
    if "unet" not in model.parts:
        return model.info.native_size
    sample = model.unet.config.sample_size
    cells = max(sample) if isinstance(sample, (list, tuple)) else int(sample or 64)
    return int(cells) * vae_scale(model.vae)
