"""From a request as it was asked to one in which every value stands.

What the artist set by hand stays; what is None gets the model's value. The daemon stores the
settled request, so that its recipe makes the same picture after the model's defaults have changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import (
    Control,
    ControlKind,
    Curve,
    ImageRequest,
    InpaintRequest,
    Refiner,
    Request,
    Sampler,
    Sampling,
    Spacing,
    TextureRequest,
    TileAxes,
    UpscaleRequest,
)
from underpaint.requests.curves import curve_at, part_of

from ..abilities import ABILITIES
from ..checks.fields import MIN_SIDE
from ..checks.view_parts import control_source
from ..refusals import kinds_without_network, role_of_control
from .image_prompts import settled_references
from .model_defaults import Defaults, model_defaults
from .wildcards import settled_words

_MULTIPLE = 16
_ON = 1 + 1e-6
_NO_FORM_HINT = (
    "Give a depth ControlNet for this kind of model (--control depth@FOLDER_OR_FILE), put one into "
    'the models folder under a name with "depth" in it, or paint without form (--control none).'
)


@dataclass(frozen=True, slots=True)
class Settled:
    """The sampling of a settled request: every value is known."""

    sampler: Sampler
    steps: int
    guidance: float
    seed: int
    spacing: Spacing | None = None
    image_guidance: float = 1.0
    guidance_curve: Curve = ()
    sharpen: float = 0.0

    def guidance_at(self, step: int, steps: int) -> float:
        """The guidance at a step (from 0) of so many; above 1, which is off, where it is on: what
        is guided stays so."""
        if self.guidance <= 1:
            return self.guidance
        return max(_ON, self.guidance * curve_at(self.guidance_curve, part_of(step, steps)))


def settle(request: Request, paths: Paths) -> Request:
    """The request with the model's values where it had none.

    Raises RequestError: MODEL_MISSING, MODEL_BROKEN; UNKNOWN_SAMPLER or CONTROL_MISSING with the
    list of what the model can do.
    """
    return settled_with(request, paths)[0]


def settled_with(request: Request, paths: Paths) -> tuple[Request, Defaults]:
    """`settle`'s, and the model's values, which a dozen files were read for."""
    request = settled_words(request, paths)
    if not isinstance(request, UpscaleRequest):
        request = replace(request, references=settled_references(request, paths))
    defaults = model_defaults(paths, request.model, request.loras)
    return _filled(request, defaults, paths), defaults


def _filled(request: Request, defaults: Defaults, paths: Paths) -> Request:
    sampling, name = _sampling(request.sampling, defaults, request.model), request.model
    controls = tuple(_placed(c, defaults, name) for c in _wanted(request, defaults))
    if isinstance(request, InpaintRequest):
        second = _refiner(request.refiner, sampling, paths)
        return replace(request, sampling=sampling, controls=controls, refiner=second)
    if isinstance(request, UpscaleRequest):
        tile = request.tile or defaults.size
        return replace(request, sampling=sampling, controls=controls, tile=tile)
    if isinstance(request, TextureRequest):
        if ABILITIES[defaults.family].texture:
            _need_form(controls, request)
        side = request.view_size or defaults.size
        return replace(request, sampling=sampling, controls=controls, view_size=side)
    width, height = _sides(request, defaults.size)
    return replace(
        request,
        sampling=sampling,
        controls=controls,
        width=width,
        height=height,
        refiner=_refiner(request.refiner, sampling, paths),
    )


def settled(sampling: Sampling) -> Settled:
    """The sampling of a request that went through `settle`."""
    sampler, steps, guidance = sampling.sampler, sampling.steps, sampling.guidance
    assert sampler is not None
    assert steps is not None
    assert guidance is not None
    weighed = sampling.image_guidance or 1.0
    curve = sampling.guidance_curve
    spacing, sharpen = sampling.spacing, sampling.sharpen or 0.0
    return Settled(sampler, steps, guidance, sampling.seed, spacing, weighed, curve, sharpen)


def image_size(request: ImageRequest) -> tuple[int, int]:
    """Height and width in pixels of a request that went through `settle`."""
    assert request.height is not None
    assert request.width is not None
    return request.height, request.width


def view_side(request: TextureRequest) -> int:
    """Pixels a side of placed views, of a request that went through `settle`."""
    assert request.view_size is not None
    return request.view_size


def _sampling(asked: Sampling, defaults: Defaults, name: str) -> Sampling:
    sampler = asked.sampler or defaults.sampler
    if sampler not in defaults.samplers:
        can = ", ".join(defaults.samplers)
        raise RequestError(
            ErrorCode.UNKNOWN_SAMPLER,
            f"Model {name!r} cannot be sampled with {sampler}; it can with {can}",
            hint="Choose one of these, or leave the sampler to the model.",
        )
    steps = defaults.steps if asked.steps is None else asked.steps
    guidance = defaults.guidance if asked.guidance is None else asked.guidance
    spacing = asked.spacing or defaults.spacing
    weighed = asked.image_guidance
    if weighed is None:
        weighed = ABILITIES[defaults.family].image_guidance
    curve = asked.guidance_curve
    sharpen = defaults.sharpen if asked.sharpen is None else asked.sharpen
    return Sampling(sampler, steps, guidance, asked.seed, spacing, weighed, curve, sharpen)


def _refiner(refiner: Refiner | None, first: Sampling, paths: Paths) -> Refiner | None:
    if refiner is None:
        return None
    asked = refiner.sampling
    if refiner.handoff is not None:  # one schedule for both
        asked = replace(
            asked,
            sampler=asked.sampler or first.sampler,
            steps=first.steps if asked.steps is None else asked.steps,
            guidance=first.guidance if asked.guidance is None else asked.guidance,
            spacing=asked.spacing or first.spacing,
        )
    sampling = _sampling(asked, model_defaults(paths, refiner.model), refiner.model)
    return replace(refiner, sampling=replace(sampling, seed=first.seed))


def _wanted(request: Request, defaults: Defaults) -> Sequence[Control]:
    """The controls that were asked for, else those of the model's that the request can feed."""
    if request.controls is not None:
        return request.controls
    if isinstance(request, TextureRequest):
        return defaults.controls
    if isinstance(request, UpscaleRequest):
        able = "image" in ABILITIES[defaults.family].control
        can = able and ControlKind.TILE in defaults.control_kinds
        return (Control(ControlKind.TILE),) if can else ()
    if request.view is not None:
        given = [c for c in defaults.controls if control_source(c.kind, request.view) is not None]
        return _beside_references(given, request, defaults.family)
    guided = any(control.kind is ControlKind.GUIDE for control in defaults.controls)
    flat = isinstance(request, ImageRequest) and request.tile is not TileAxes.OFF
    # What repeats is laid on a plane of its own; without a guide a plane's depth says nothing.
    return defaults.controls if flat and guided else ()


def _beside_references(
    controls: Sequence[Control], request: ImageRequest | InpaintRequest, family: str
) -> Sequence[Control]:
    """Without those that a family reads as references, where yours are as many as it reads."""
    left = ABILITIES[family].references - len(request.references)
    shown = [c for c in controls if role_of_control(c.kind, family) is not None]
    return [c for c in controls if c not in shown[max(0, left) :]]


def _placed(control: Control, defaults: Defaults, name: str) -> Control:
    """A control with the network that is to follow it. Raises RequestError(CONTROL_MISSING)."""
    alone = control.kind in kinds_without_network(defaults.family)
    if alone or control.model is not None or control.kind.value in defaults.own_controls:
        return control
    if control.kind in defaults.other_controls:
        return replace(control, model=str(defaults.other_controls[control.kind]))
    can = ", ".join(defaults.control_kinds) or "none"
    raise RequestError(
        ErrorCode.CONTROL_MISSING,
        f"Model {name!r} has no {control.kind} ControlNet; it can be given {can}",
    )


def _need_form(controls: Sequence[Control], request: TextureRequest) -> None:
    if not controls and request.controls is None:
        raise RequestError(
            ErrorCode.CONTROL_MISSING,
            f"Model {request.model!r} has no ControlNet that shows it the mesh's form",
            hint=_NO_FORM_HINT,
        )


def _sides(request: ImageRequest, native: int) -> tuple[int, int]:
    """Width and height: what was asked; else as many pixels as the model was made for, in the
    proportions of the view or of the picture to start from."""
    width, height = request.width, request.height
    if width is not None and height is not None:
        return width, height
    aspect = _aspect(request)
    if width is not None:
        return width, _rounded(width / aspect)
    if height is not None:
        return _rounded(height * aspect), height
    return _rounded(native * math.sqrt(aspect)), _rounded(native / math.sqrt(aspect))


def _aspect(request: ImageRequest) -> float:
    if request.view is not None:
        return request.view.camera.width / request.view.camera.height
    if request.init is not None:
        return request.init.shape[1] / request.init.shape[0]
    return 1.0


def _rounded(side: float) -> int:
    return max(MIN_SIDE, round(side / _MULTIPLE) * _MULTIPLE)
