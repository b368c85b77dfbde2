"""Checks that a request can be carried out as written, before anything heavy is loaded.

No torch: the server calls `validate` when a job is submitted. What needs the model itself (does it
have that ControlNet?) is checked in the worker.
"""

from __future__ import annotations

from collections.abc import Sequence

from underpaint.buffers import Kind
from underpaint.requests import (
    ImageRequest,
    InpaintRequest,
    Lora,
    Pattern,
    Pbr,
    Refiner,
    Request,
    Sampling,
    TileAxes,
    UpscaleRequest,
)
from underpaint.requests.parts import parts_of

from .controls import check_controls, check_references, check_view
from .curves import check_curve
from .fields import (
    MAX_SIDE,
    check_range,
    check_ref,
    check_side,
    refuse,
    refuse_buffer,
    size_text,
    too_large,
)
from .regions import check_regions
from .textures import check_texture_request

MAX_STEPS = 200
MAX_GUIDANCE = 50.0
MAX_SHARPEN = 2.0
MAX_BATCH = 64
MAX_CONTROLS = 8
MAX_SEED = 2**63 - 1
MIN_PATTERN, MAX_PATTERN = 1e-5, 1e5  # metres
MAX_PROMPT = 20_000
MAX_FACTOR = 4.0


def validate(request: Request) -> None:
    """Raise RequestError unless every field is within its range and the references fit.

    Codes: BAD_REQUEST (a field), BAD_BUFFER (a reference's kind or shape), TOO_LARGE (sizes),
    BAD_MESH (mesh arrays that do not belong together).
    """
    if not request.model:
        refuse("model", "is empty; name a model, e.g. starter")
    _check_prompts(request)
    _check_sampling(request.sampling)
    check_range("strength", request.strength, 0.0, 1.0)
    _check_loras("loras", request.loras)
    for where, part in parts_of(request).items():
        _check_loras(f"{where}.loras", part.loras)
    if not isinstance(request, UpscaleRequest):
        _check_pattern(request.pattern)
    if request.controls is not None and len(request.controls) > MAX_CONTROLS:
        refuse("controls", f"has {len(request.controls)} entries; at most {MAX_CONTROLS}")
    if isinstance(request, ImageRequest):
        _check_pbr(request.pbr)
        _check_image_request(request)
    elif isinstance(request, InpaintRequest):
        _check_inpaint_request(request)
    elif isinstance(request, UpscaleRequest):
        _check_upscale_request(request)
    else:
        _check_pbr(request.pbr)
        check_texture_request(request)


def _check_prompts(request: Request) -> None:
    parts = [(f"{where}.prompt", part.prompt) for where, part in parts_of(request).items()]
    prompts = [("prompt", request.prompt), *parts]
    for name, prompt in prompts:
        if max(len(prompt.text), len(prompt.negative)) > MAX_PROMPT:
            refuse(name, f"is longer than {MAX_PROMPT} characters")


def _check_sampling(sampling: Sampling, where: str = "sampling") -> None:
    if sampling.steps is not None:
        check_range(f"{where}.steps", sampling.steps, 1, MAX_STEPS)
    if sampling.guidance is not None:
        check_range(f"{where}.guidance", sampling.guidance, 0.0, MAX_GUIDANCE)
    if sampling.image_guidance is not None:
        check_range(f"{where}.image_guidance", sampling.image_guidance, 1.0, MAX_GUIDANCE)
    if sampling.sharpen is not None:
        check_range(f"{where}.sharpen", sampling.sharpen, 0.0, MAX_SHARPEN)
    check_range(f"{where}.seed", sampling.seed, 0, MAX_SEED)
    check_curve(f"{where}.guidance_curve", sampling.guidance_curve)


def _check_pattern(pattern: Pattern) -> None:
    if pattern.size is not None:
        check_range("pattern.size", pattern.size, MIN_PATTERN, MAX_PATTERN)
    check_range("pattern.seed", pattern.seed, 0, MAX_SEED)


def _check_loras(where: str, loras: Sequence[Lora]) -> None:
    for i, lora in enumerate(loras):
        check_range(f"{where}[{i}].weight", lora.weight, -2.0, 2.0)
        check_curve(f"{where}[{i}].curve", lora.curve)
        if not lora.path:
            refuse(f"{where}[{i}].path", "is empty")


def _check_pbr(pbr: Pbr | None) -> None:
    for name in ("model", "normal_model"):
        if pbr is not None and getattr(pbr, name) == "":
            refuse(f"pbr.{name}", "is empty; leave it out to estimate without a model")


def _check_image_request(request: ImageRequest) -> None:
    for name, side, repeats in (
        ("width", request.width, TileAxes.X),
        ("height", request.height, TileAxes.Y),
    ):
        # What repeats cannot be padded and cropped: the seam would be cut off.
        if side is not None:
            check_side(name, side, 8 if request.tile in (repeats, TileAxes.XY) else 1)
    check_range("batch", request.batch, 1, MAX_BATCH)
    check_ref("init", request.init, Kind.COLOR)
    check_view("view", request.view)
    flat = request.tile is not TileAxes.OFF and request.view is None
    check_controls(request.controls or (), request.view, request.init, flat=flat)
    check_references(request.references, request.view)
    check_regions(request)
    if request.refiner is not None:
        _check_refiner(request.refiner, from_words=request.init is None)


def _check_refiner(refiner: Refiner, *, from_words: bool) -> None:
    if not refiner.model:
        refuse("refiner.model", "is empty; name a model, or leave the refiner out")
    check_range("refiner.strength", refiner.strength, 0.0, 1.0)
    _check_sampling(refiner.sampling, "refiner.sampling")
    if refiner.handoff is None:
        return
    if not 0 < refiner.handoff < 1:
        refuse("refiner.handoff", f"is {refiner.handoff:g}, not between 0 and 1")
    if not from_words:
        refuse("refiner.handoff", "is for pictures from words alone; leave it out to paint over")


def _check_inpaint_request(request: InpaintRequest) -> None:
    check_range("batch", request.batch, 1, MAX_BATCH)
    check_range("feather", request.feather, 0, 1024)
    if request.padding is not None:
        check_range("padding", request.padding, 0, MAX_SIDE)
    check_ref("image", request.image, Kind.COLOR)
    check_ref("mask", request.mask, Kind.MASK)
    if request.image.shape[:2] != request.mask.shape[:2]:
        refuse_buffer(
            "mask", f"is {size_text(request.mask)}, but the image is {size_text(request.image)}"
        )
    if max(request.image.shape[:2]) > MAX_SIDE:
        too_large("image", request.image.shape[1], request.image.shape[0])
    check_view("view", request.view)
    check_controls(request.controls or (), request.view, request.image)
    check_references(request.references, request.view)
    check_regions(request)
    if request.refiner is not None:
        _check_refiner(request.refiner, from_words=False)


def _check_upscale_request(request: UpscaleRequest) -> None:
    check_range("factor", request.factor, 1.0, MAX_FACTOR)
    check_range("overlap", request.overlap, 0, MAX_SIDE)
    check_ref("image", request.image, Kind.COLOR)
    height, width = enlarged(request)
    if max(width, height) > MAX_SIDE:
        too_large("the enlarged image", width, height)
    if request.tile is not None:
        check_side("tile", request.tile)
    check_controls(request.controls or (), None, request.image)


def enlarged(request: UpscaleRequest) -> tuple[int, int]:
    """Height and width of an upscaled picture."""
    height, width = (max(1, round(side * request.factor)) for side in request.image.shape[:2])
    return height, width
