"""The requests of an animation's frames, all made of the one that was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ..buffers import Buffers, Kind
from ..following.leaving import around, leave_alone
from ..requests import ImageRequest, InpaintRequest, Prompt, Refiner
from ..tree import from_plain, to_plain
from ..wire.records import ModelInfo
from .captures import Taken
from .motion import Mask, grown
from .sampling import Image8
from .scene_parts import Parts, drawings_in, kept_in, words_in

_SHARED = (
    "prompt", "model", "sampling", "controls", "pattern", "loras", "references", "regions",
    "refiner",
)  # fmt: skip
_PREFIX = "underpaint_"
_BRACES = re.compile(r"\{(\w+)\}")
_BETWEEN = 128  # of 255: how much of the new paint lies on the ring around what is repainted


@dataclass(frozen=True, slots=True)
class Asked:
    """`request`: a frame's, without its view; `refresh` (0–1): how much of every frame is painted
    anew. `buffers`: what the request refers to. `colours`: the strength by which what is painted
    begins from the scene's own colours; None: from nothing. `parts`: what each frame is asked for
    itself. `kept`: of a frame, where it stays as the scene shows it, (h, w); None is nowhere."""

    request: ImageRequest
    buffers: Buffers
    refresh: float = 0.0
    colours: float | None = None
    parts: Parts = field(default_factory=Parts)
    kept: Mask | None = None


def with_models_controls(asked: Asked, models: Iterable[ModelInfo]) -> Asked:
    """What is asked with the controls that the model wants, where none are named and it is known:
    so that they can be given one range of depth before the first frame."""
    request = asked.request
    known = next((model for model in models if model.name == request.model), None)
    if request.controls is not None or known is None or "controls" not in known.defaults:
        return asked
    told = from_plain({**to_plain(request), "controls": known.defaults["controls"]})
    return replace(asked, request=cast(ImageRequest, told))


def in_frame(asked: Asked, taken: Taken) -> Asked:
    """What is asked in a captured frame.

    By its objects and whatever else it shows (`parts`), and by the scene's custom properties there:
    `{name}` in the words is the property of that name; `underpaint_seed`, `_guidance`, `_strength`,
    `_refresh` and those called after a control (`underpaint_depth`) stand for the options.
    """
    numbers = taken.numbers
    own = {name.removeprefix(_PREFIX): v for name, v in numbers.items() if name.startswith(_PREFIX)}
    request, strength = asked.request, own.get("strength")
    sampling = replace(
        request.sampling,
        seed=round(own.get("seed", request.sampling.seed)),
        guidance=own.get("guidance", request.sampling.guidance),
    )
    controls, buffers = drawings_in(asked.parts, request.controls, taken.sighted, asked.buffers)
    regions = words_in(asked.parts, taken.objects, request.prompt.negative) + request.regions
    request = replace(
        request,
        sampling=sampling,
        prompt=_worded(request.prompt, numbers),
        controls=controls
        and tuple(replace(one, scale=own.get(one.kind.value, one.scale)) for one in controls),
        regions=tuple(replace(one, prompt=_worded(one.prompt, numbers)) for one in regions),
    )
    return replace(
        asked,
        request=request,
        buffers=buffers,
        refresh=own.get("refresh", asked.refresh),
        colours=asked.colours if asked.colours is None or strength is None else strength,
        kept=kept_in(asked.parts, taken.objects, taken.sighted),
    )


def unknown(asked: Asked, numbers: Mapping[str, float]) -> list[str]:
    """The names in braces that the scene has no number for."""
    request = asked.request
    prompts = [request.prompt, *(region.prompt for region in request.regions)]
    words = " ".join(f"{prompt.text} {prompt.negative}" for prompt in prompts)
    return [name for name in dict.fromkeys(_BRACES.findall(words)) if name not in numbers]


def changes(asked: Asked, numbers: Mapping[str, float]) -> bool:
    """Whether what is asked may be another in each frame, or each is painted over: then a frame
    must not show what only a later one asks for."""
    prompts = (asked.request.prompt, *(region.prompt for region in asked.request.regions))
    words = " ".join(f"{prompt.text} {prompt.negative}" for prompt in prompts)
    named = any(name.startswith(_PREFIX) or f"{{{name}}}" in words for name in numbers)
    return named or asked.refresh > 0


def whole(asked: Asked, taken: Taken) -> tuple[ImageRequest | InpaintRequest, Buffers]:
    """A frame by itself. Raises RequestError(BAD_REQUEST) where all of it stays as it is."""
    request, buffers = _viewed(asked, taken)
    return leave_alone(request, asked.kept, buffers), buffers


def _viewed(asked: Asked, taken: Taken) -> tuple[ImageRequest, Buffers]:
    request, buffers = replace(asked.request, view=taken.view), _with(asked.buffers, taken.buffers)
    if asked.colours is None or taken.view.color is None:
        return request, buffers
    second, init = _over(request.refiner), taken.view.color
    return replace(request, init=init, strength=asked.colours, refiner=second), buffers


def as_shown(asked: Asked, taken: Taken, picture: Image8) -> Image8:
    """A frame's picture with what stays as the scene shows it."""
    ref = taken.view.color
    if asked.kept is None or ref is None:
        return picture
    return np.where(asked.kept[..., None], taken.buffers[ref.sha256][..., :3], picture)


def _over(refiner: Refiner | None) -> Refiner | None:
    """A second model that paints over: only pictures from words alone are handed over."""
    return refiner and replace(refiner, handoff=None)


def begun(asked: Asked, taken: Taken, picture: Image8, spot: Mask) -> tuple[Image8, float]:
    """What a spot of a picture that nobody has painted yet begins from, and the strength: the
    scene's own colours, where that is asked for, else nothing."""
    ref = taken.view.color
    if asked.colours is None or ref is None:
        return picture, 1.0
    colours = taken.buffers[ref.sha256][..., :3]
    return np.where(grown(spot, 1)[..., None], colours, picture), asked.colours


def again(
    asked: Asked, taken: Taken, picture: Image8, strength: float
) -> tuple[ImageRequest | InpaintRequest, Buffers]:
    """A frame painted over what it is already."""
    request, buffers = _viewed(asked, taken)
    init = buffers.add(Kind.COLOR, picture)
    request = replace(request, refiner=_over(request.refiner))
    if asked.kept is not None:
        return around(request, init, asked.kept, strength, buffers), buffers
    return replace(request, init=init, strength=strength), buffers


def patch(
    asked: Asked, taken: Taken, picture: Image8, spot: Mask, strength: float
) -> tuple[InpaintRequest, Buffers]:
    """A spot of a frame, passing into the rest over the pixels around it."""
    request, buffers = _viewed(asked, taken)
    opened = mask_of(spot) if asked.kept is None else np.where(asked.kept, 0, mask_of(spot))
    shared: dict[str, Any] = {name: getattr(request, name) for name in _SHARED}
    shared["refiner"] = _over(request.refiner)
    return InpaintRequest(
        **shared,
        view=request.view,
        image=buffers.add(Kind.COLOR, picture),
        mask=buffers.add(Kind.MASK, opened.astype(np.uint8)),
        strength=strength,
        feather=0,
    ), buffers


def mask_of(spot: Mask) -> npt.NDArray[np.uint8]:
    """The mask (h, w) uint8 of a spot and the ring around it."""
    return np.where(spot, 255, np.where(grown(spot, 1), _BETWEEN, 0)).astype(np.uint8)


def settled(asked: Asked, painted: ImageRequest) -> Asked:
    """`asked` with what the daemon settled in the first frame, so that all have the same; the
    words stay as they were asked. A ground that the first frame has not, none has."""
    own, pattern = asked.request, painted.pattern
    kept = replace(
        painted,
        prompt=own.prompt,
        regions=own.regions,
        view=None,
        init=own.init,
        strength=own.strength,
        pattern=replace(pattern, ground=pattern.ground or pattern.floor is None),
    )
    seeded = replace(kept.sampling, seed=asked.request.sampling.seed)
    return replace(asked, request=replace(kept, sampling=seeded))


def _worded(prompt: Prompt, numbers: Mapping[str, float]) -> Prompt:
    return Prompt(_told(prompt.text, numbers), _told(prompt.negative, numbers))


def _told(words: str, numbers: Mapping[str, float]) -> str:
    return _BRACES.sub(
        lambda found: f"{numbers[found[1]]:.4g}" if found[1] in numbers else found[0],
        words,
    )


def _with(own: Buffers, views: Buffers) -> Buffers:
    """One Buffers with all arrays of both."""
    out = Buffers()
    out.take(own)
    out.take(views)
    return out
