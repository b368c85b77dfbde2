"""What a family cannot do is refused by name, before its weights are read. No torch."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from underpaint.buffers import BufferRef
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import (
    BY_ATTENTION,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    ReferenceRole,
    Request,
    TextureRequest,
    TileAxes,
    UpscaleRequest,
)
from underpaint.requests.parts import loras_of

from .abilities import ABILITIES, Abilities

_AS_REFERENCE = {
    ControlKind.DEPTH: ReferenceRole.DEPTH,
    ControlKind.NORMAL: ReferenceRole.NORMAL,
    ControlKind.CANNY: ReferenceRole.SKETCH,
    ControlKind.LINEART: ReferenceRole.SKETCH,
}


def role_of_control(kind: ControlKind, family: str) -> ReferenceRole | None:
    """The role in which a control is shown to a family that has no ControlNets and reads
    references; None of a control that acts through a network."""
    able = ABILITIES[family]
    return _AS_REFERENCE.get(kind) if able.reads and not able.control else None


def kinds_without_network(family: str) -> tuple[ControlKind, ...]:
    """The controls that a family follows without a ControlNet: as references, or through channels
    of its own."""
    if ABILITIES[family].inner_control:
        return ABILITIES[family].inner_control
    return tuple(kind for kind in _AS_REFERENCE if role_of_control(kind, family) is not None)


def refuse_what_cannot_be(request: Request, family: str, model: str) -> None:
    """Raise RequestError(BAD_REQUEST, CONTROL_MISSING) for what the family cannot do."""
    able = ABILITIES[family]
    if request.sampling.image_guidance is not None and able.image_guidance is None:
        told = "does not weigh the picture against the words"
        _refuse(able, model, "image_guidance", told, hint=_NO_WEIGHING)
    curved = request.sampling.guidance_curve or any(lora.curve for lora in loras_of(request))
    if curved and not able.curves:
        told = "cannot change guidance or LoRAs over the steps"
        _refuse(able, model, "curves", told, hint=_families("curves") + " Or leave the curve out.")
    if isinstance(request, TextureRequest):
        if request.method not in able.texture:
            _refuse(able, model, "texture", f"cannot paint textures by {request.method}")
        _check_references(request, able, family, model)
        return
    if isinstance(request, UpscaleRequest):
        request = tile_request(request)
    start = _start(request)
    if not getattr(able, start):
        _refuse(able, model, start, f"cannot begin from {_CALLED[start]}")
    if loras_of(request) and not able.lora:
        _refuse(able, model, "lora", "takes no LoRA")
    if isinstance(request, ImageRequest) and request.tile is not TileAxes.OFF and not able.tile:
        _refuse(able, model, "tile", "cannot paint images that repeat without a seam")
    if request.regions and not able.regions:
        _refuse(
            able,
            model,
            "regions",
            "takes no prompts or LoRAs for parts of a picture",
            hint=_families("regions") + _BY_WORDS,
        )
    _check_controls(request, able, family, model, start)
    _check_references(request, able, family, model)


def refining_request(
    request: ImageRequest | InpaintRequest, picture: BufferRef, index: int
) -> ImageRequest | InpaintRequest:
    """What finishing a picture, the `index`-th of the request's, asks of the second model: all of
    it, or the spot that the mask marks."""
    assert request.refiner is not None
    refiner = request.refiner
    sampling = replace(refiner.sampling, seed=request.sampling.seed + index)
    if isinstance(request, InpaintRequest):
        return InpaintRequest(
            request.prompt,
            picture,
            request.mask,
            refiner.model,
            sampling,
            controls=(),
            strength=refiner.strength,
            feather=request.feather,
            padding=request.padding,
        )
    return ImageRequest(
        request.prompt,
        refiner.model,
        picture.shape[1],
        picture.shape[0],
        sampling,
        controls=(),
        init=picture,
        strength=refiner.strength,
        tile=request.tile,
    )


def refuse_handoff(first: str, second: str) -> None:
    """Raise RequestError(BAD_REQUEST) unless two families' latents are alike and both know the
    noise levels of each other: SDXL and its refiner, or two of SDXL."""
    if first == "sdxl" and second in ("sdxl", "sdxl_refiner"):
        return
    raise RequestError(
        ErrorCode.BAD_REQUEST,
        f"{ABILITIES[first].title} cannot hand a picture with noise in it over to "
        f"{ABILITIES[second].title}: only Stable Diffusion XL can, to its refiner or its like",
        hint="Leave the handoff out: the second model then paints over the finished picture.",
    )


def no_adapter(model: str) -> RequestError:
    """Of a model that sees nothing of a picture by its own attention, and has no IP-Adapter."""
    return RequestError(
        ErrorCode.CONTROL_MISSING,
        f"Model {model!r} has no IP-Adapter for references",
        hint=_GIVE_ADAPTER,
    )


def tile_request(request: UpscaleRequest) -> ImageRequest:
    """What painting one tile of an upscaling asks of a model."""
    return ImageRequest(
        request.prompt,
        request.model,
        request.tile,
        request.tile,
        request.sampling,
        controls=request.controls,
        init=request.image,
        strength=request.strength,
        loras=request.loras,
    )


_NO_WEIGHING = "Leave image guidance (--image-guidance) out; strength says how much stays."
_OF_LOOKS = (ReferenceRole.STYLE, ReferenceRole.SUBJECT)
_BY_CONTROL = "Give its form to a ControlNet (--control depth, or --control depth=IMAGE)."
_GIVE_ADAPTER = (
    "By its own attention it sees nothing of a picture: give an adapter (--reference IMAGE@FILE; "
    "in Python, Reference(model=...)), take another model, or leave the reference out."
)
_ONE_ADAPTER = "Let the others be seen by the model's own attention (--reference IMAGE@attention)."
_READS = "Leave @attention out."
_NO_NETWORK = "Leave the ControlNet out (--control depth, without @FILE)."
_NO_ADAPTER = "It reads pictures by itself: leave the adapter out."
_BY_WORDS = " Or say in the prompt where things are."
_CALLED = {"text": "words alone", "image": "a picture", "mask": "a picture with a mask"}


def _start(request: ImageRequest | InpaintRequest) -> str:
    if isinstance(request, InpaintRequest):
        return "mask"
    return "text" if request.init is None else "image"


def _check_controls(
    request: ImageRequest | InpaintRequest, able: Abilities, family: str, model: str, start: str
) -> None:
    acting = [control for control in request.controls or () if control.scale > 0]
    if able.inner_control and len(acting) != 1:
        kinds = " or ".join(able.inner_control)
        told = f"follows one {kinds} control, and paints nothing without it"
        _refuse(able, model, "inner_control", told, ErrorCode.CONTROL_MISSING)
    for control in acting:
        if role_of_control(control.kind, family) is not None:
            if control.model:
                told = f"takes no ControlNet: it reads {control.kind} as a reference picture"
                _refuse(able, model, "networks", told, ErrorCode.CONTROL_MISSING, _NO_NETWORK)
            continue
        if start not in able.control:
            told = f"cannot follow a {control.kind} control from {_CALLED[start]}"
            _refuse(able, model, "control", told, ErrorCode.CONTROL_MISSING)


def _check_references(
    request: ImageRequest | InpaintRequest | TextureRequest,
    able: Abilities,
    family: str,
    model: str,
) -> None:
    shown = [c for c in request.controls or () if c.scale > 0 and role_of_control(c.kind, family)]
    count = len(request.references) + len(shown)
    if count > able.references:
        most = f"reads {able.references} reference pictures at most" if able.references else ""
        _refuse(able, model, "references", most or "reads no reference pictures")
    formal = [one.role for one in request.references if one.role not in _OF_LOOKS]
    seen = able.ip_adapter or able.attention
    if seen and formal:
        told = f"reads a picture for its style or subject, not for its {formal[0]}"
        _refuse(able, model, "roles", told, hint=_BY_CONTROL)
    through = [one.model for one in request.references if one.model != BY_ATTENTION]
    if not able.ip_adapter and any(through):
        _refuse(able, model, "ip_adapter", "takes no IP-Adapter", hint=_NO_ADAPTER)
    if able.ip_adapter and len(through) > 1:
        _refuse(able, model, "adapters", "takes one IP-Adapter at a time", hint=_ONE_ADAPTER)
    if not seen and len(through) < len(request.references):
        _refuse(able, model, "attention", "does not look at pictures by attention", hint=_READS)
    if able.needs_reference and count == 0 and not isinstance(request, InpaintRequest):
        _refuse(able, model, "text", "edits, and needs a reference picture")


def _refuse(
    able: Abilities,
    model: str,
    name: str,
    problem: str,
    code: ErrorCode = ErrorCode.BAD_REQUEST,
    hint: str | None = None,
) -> NoReturn:
    reason = able.why.get(name, hint)
    raise RequestError(code, f"Model {model!r} ({able.title}) {problem}", hint=reason)


def _families(ability: str) -> str:
    titles = " and ".join(row.title for row in ABILITIES.values() if getattr(row, ability))
    return f"Families that do: {titles}."
