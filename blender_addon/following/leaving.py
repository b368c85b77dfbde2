"""Objects that are left alone: what the view shows of them stays; the rest is painted. No bpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, InpaintRequest, Request

from ..capture import object_ids

ANEW = 1.0


def leave_alone(
    context: Any, names: tuple[str, ...], request: ImageRequest, buffers: Buffers
) -> ImageRequest | InpaintRequest:
    """The request, painting nothing where its view shows the objects of these full names; as it is
    where it shows none. `buffers`: those of its view (colours and object ids), and takes the mask.

    Raises RequestError(BAD_REQUEST) when nothing is left to paint.
    """
    view = request.view
    if not names or view is None or view.object_id is None or view.color is None:
        return request
    ids = object_ids(context.evaluated_depsgraph_get())
    shown = buffers[view.object_id.sha256]
    kept = np.isin(shown, [ids[name] for name in names if name in ids])
    if not kept.any():
        return request
    if kept.all():
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "all that is seen is to be left alone",
            hint="Open the lock of an object in the list.",
        )
    return InpaintRequest(
        request.prompt,
        view.color,
        buffers.add(Kind.MASK, np.where(kept, 0, 255).astype(np.uint8)),
        model=request.model,
        sampling=request.sampling,
        view=view,
        controls=request.controls,
        pattern=request.pattern,
        strength=ANEW if request.init is None else request.strength,
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
