"""Image requests: text-to-image, and image-to-image when there is a picture to start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, TileAxes
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.defaults.settle import image_size
from underpaint_daemon.common.job_contract import Reporter
from underpaint_daemon.common.single_files import INPAINT_CHANNELS

from .batch import Plan, half_done, paint
from .canvas import Canvas, whole
from .controls.images import Sources
from .controls.networks import Conditioning, prepare_controls
from .families import Task
from .latents import from_image8
from .loading.components import LoadedModel
from .memory import Tier
from .references.beside import read_beside, through_networks
from .regions import read_regions
from .steps import changes_nothing

Image8 = npt.NDArray[np.uint8]
Arrays = Mapping[str, npt.NDArray[Any]]
_GREY = 128


def run_image(
    model: LoadedModel, request: ImageRequest, arrays: Arrays, tier: Tier, reporter: Reporter
) -> list[Image8]:
    """The pictures of an ImageRequest, (height, width, 3) uint8 each.

    Raises UnderpaintErrors and JobCancelled.
    """
    canvas = whole(image_size(request), ABILITIES[model.family.name].cell)
    init = None if request.init is None else canvas.colour(arrays[request.init.sha256])
    if init is not None and changes_nothing(request.strength):
        _refuse_masks_only(model)
        return [canvas.back(init)] * request.batch
    return paint(model, _plan(model, request, arrays, reporter), tier, reporter)


def _plan(model: LoadedModel, request: ImageRequest, arrays: Arrays, reporter: Reporter) -> Plan:
    _refuse_masks_only(model)
    canvas = whole(image_size(request), ABILITIES[model.family.name].cell)
    init = None if request.init is None else canvas.colour(arrays[request.init.sha256])
    flat = request.view is None and request.tile is not TileAxes.OFF
    sources = Sources(
        request.view, arrays, canvas, request.init, pattern=request.pattern, flat=flat
    )
    asked = request.controls or ()
    beside = read_beside(model, request.references, asked, sources)
    networks = through_networks(asked, model.family.name)
    return Plan(
        request=request,
        task=Task.TEXT if init is None else Task.IMAGE,
        canvas=canvas,
        conditioning=prepare_controls(model, networks, sources, reporter.warn),
        finish=canvas.back,
        strength=1.0 if init is None or model.family.whole_noise else request.strength,
        start=_start(model, canvas, init),
        beside=beside,
        tile=request.tile,
        regions=read_regions(model, request, arrays, canvas, reporter.warn),
    )


def begin_image(
    model: LoadedModel,
    request: ImageRequest,
    arrays: Arrays,
    tier: Tier,
    reporter: Reporter,
) -> tuple[list[Tensor], list[Image8]]:
    """An ImageRequest from words, up to where it is handed over to its second model: latents for
    `finish_image`, or pictures when it is enough (see `half_done`)."""
    assert request.refiner is not None
    assert request.refiner.handoff is not None
    plan = _plan(model, request, arrays, reporter)
    return half_done(model, replace(plan, end=request.refiner.handoff), tier, reporter)


def finish_image(
    model: LoadedModel,
    request: ImageRequest,
    latents: Tensor,
    handoff: float,
    tier: Tier,
    reporter: Reporter,
) -> Image8:
    """The picture that a second model makes of what it was handed over. `request`: what it is asked
    for (see `refining_request`)."""
    canvas = whole(image_size(request), ABILITIES[model.family.name].cell)
    plan = Plan(
        request=request,
        task=Task.IMAGE,
        canvas=canvas,
        conditioning=Conditioning((), (), ()),
        finish=canvas.back,
        strength=1.0,
        start={"image": latents},
        begin=handoff,
    )
    return paint(model, plan, tier, reporter)[0]


def _start(model: LoadedModel, canvas: Canvas, init: Image8 | None) -> dict[str, Any]:
    """The pipeline's arguments to begin from."""
    if init is None and model.family.needs_picture:
        init = np.full((*canvas.padded, 3), _GREY, np.uint8)
    return {} if init is None else {"image": from_image8(init)}


def _refuse_masks_only(model: LoadedModel) -> None:
    unet = model.parts.get("unet")
    if unet is not None and unet.config.in_channels == INPAINT_CHANNELS:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"Model {model.info.name!r} was made for inpainting: it repaints masks only",
            hint="Give a mask (--init PICTURE --mask MASK), or another model.",
        )
