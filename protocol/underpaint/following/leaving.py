"""Objects that are left alone: what the view shows of them stays; the rest is painted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..buffers import BufferRef, Buffers, Kind
from ..errors import ErrorCode, RequestError
from ..requests import ImageRequest, InpaintRequest, Request

ANEW = 1.0
Mask = npt.NDArray[np.bool_]


def where_left(
    object_id: npt.NDArray[Any], names: Mapping[int, str], left: Iterable[str]
) -> Mask | None:
    """Where a view shows the objects of these full names, (h, w); None where it shows none.
    `names`: of the objects by the numbers in `object_id` (h, w)."""
    wanted = set(left)
    numbers = [number for number, name in names.items() if name in wanted]
    kept: Mask = np.isin(object_id, numbers)
    return kept if kept.any() else None


def leave_alone(
    request: ImageRequest, kept: Mask | None, buffers: Buffers
) -> ImageRequest | InpaintRequest:
    """The request, painting nothing where `kept` (h, w); as it is with None. `buffers`: those of
    its view, which has colours; takes the mask.

    Raises RequestError(BAD_REQUEST) when nothing is left to paint.
    """
    view = request.view
    if kept is None or view is None or view.color is None:
        return request
    if kept.all():
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "all that is seen is to be left alone",
            hint="Open the lock of an object in the list.",
        )
    strength = ANEW if request.init is None else request.strength
    return around(request, view.color, kept, strength, buffers)


def around(
    request: ImageRequest, picture: BufferRef, kept: Mask, strength: float, buffers: Buffers
) -> InpaintRequest:
    """What paints `picture` over by `strength`, and nothing where `kept` (h, w)."""
    return InpaintRequest(
        request.prompt,
        picture,
        buffers.add(Kind.MASK, np.where(kept, 0, 255).astype(np.uint8)),
        model=request.model,
        sampling=request.sampling,
        batch=request.batch,
        view=request.view,
        controls=request.controls,
        pattern=request.pattern,
        strength=strength,
        loras=request.loras,
        references=request.references,
        regions=request.regions,
        refiner=request.refiner,
    )


def painted_view(request: Request) -> ImageRequest | None:
    """What a view was painted by: the request, or the one that `leave_alone` made it of; None for
    textures, and when another picture is repainted."""
    if isinstance(request, ImageRequest):
        return request
    if not isinstance(request, InpaintRequest) or request.view is None:
        return None
    view = request.view
    if view.color != request.image:
        return None
    anew = request.strength == ANEW
    return ImageRequest(
        request.prompt,
        request.model,
        view.camera.width,
        view.camera.height,
        sampling=request.sampling,
        batch=request.batch,
        view=view,
        controls=request.controls,
        pattern=request.pattern,
        init=None if anew else request.image,
        strength=ImageRequest(request.prompt).strength if anew else request.strength,
        loras=request.loras,
        references=request.references,
        regions=request.regions,
        refiner=request.refiner,
    )
