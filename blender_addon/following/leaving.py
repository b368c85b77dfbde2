"""Objects that are left alone, by the scene as it is. No bpy."""

from __future__ import annotations

from typing import Any

from underpaint.buffers import Buffers
from underpaint.following import leaving
from underpaint.requests import ImageRequest, InpaintRequest

from ..capture import object_ids


def leave_alone(
    context: Any, left: tuple[str, ...], request: ImageRequest, buffers: Buffers
) -> ImageRequest | InpaintRequest:
    """The request, painting nothing where its view shows the objects of these full names.

    `buffers`: those of its view (colours and object ids); takes the mask.
    Raises RequestError(BAD_REQUEST) when nothing is left to paint.
    """
    view = request.view
    if not left or view is None or view.object_id is None:
        return request
    ids = object_ids(context.evaluated_depsgraph_get())
    names = {number: name for name, number in ids.items()}
    kept = leaving.where_left(buffers[view.object_id.sha256], names, left)
    return leaving.leave_alone(request, kept, buffers)
