"""The view that settings ask for, captured, with the pictures that are drawn for it. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from underpaint.buffers import Buffers, Kind
from underpaint.following.drawing import DrawnFrom, drawn
from underpaint.following.sights import Sighted
from underpaint.requests import View

from ..capture import Kept, Source, Viewport, capture_view, object_ids
from ..capture.sources import resolve
from ..image.given import with_pictures
from ..image.request import ImageSettings, wanted_buffers
from .sighting import sights


@dataclass(frozen=True, slots=True)
class Taken:
    """`settings` with their pictures among `buffers`; `view`: None when the request needs none."""

    settings: ImageSettings
    view: View | None
    buffers: Buffers


def take(
    context: Any,
    settings: ImageSettings,
    pictures: Buffers,
    source: Source,
    side: int,
    kept: Kept | None = None,
) -> Taken:
    """Capture what the settings want of `source`, and draw what they follow beside it.

    `pictures`: those that the settings name. `side`: pixels of the picture where the settings leave
    them to the model. Raises RequestError(CAPTURE_FAILED, BAD_REQUEST).
    """
    size = (settings.width or side, settings.height or side)
    wants = wanted_buffers(settings)
    drawings = [control.drawing for control in settings.active_controls]
    by_object = any(one is not None and one.source is DrawnFrom.OBJECTS for one in drawings)
    view, buffers = None, Buffers()
    if wants or by_object:
        whole = wants | ({Kind.OBJECT_ID} if by_object else set())
        view, buffers = capture_view(context, source, *size, frozenset(whole), kept=kept)
    if any(one is not None for one in drawings):
        seen = _sighted(context, view, buffers, source, size)
        settings = _with_drawings(settings, seen, pictures)
    if view is not None and Kind.OBJECT_ID not in wants:
        view, buffers = _without_ids(view, buffers)
    known = size if view is not None or (settings.width and settings.height) else None
    return Taken(with_pictures(settings, pictures, buffers, known), view, buffers)


def _without_ids(view: View, arrays: Buffers) -> tuple[View | None, Buffers]:
    """What was captured for the drawings alone is not handed over; None if that was all."""
    left, handed = replace(view, object_id=None), Buffers()
    refs = (left.depth, left.normal, left.color, left.position, left.uv)
    for ref in refs:
        if ref is not None:
            handed.add(ref.kind, arrays[ref.sha256])
    return (left if len(handed) else None), handed


def _sighted(
    context: Any, view: View | None, arrays: Buffers, source: Source, size: tuple[int, int]
) -> Sighted:
    """What can be followed of the view."""
    depsgraph = context.evaluated_depsgraph_get()
    camera = resolve(source, depsgraph, *size) if view is None else view.camera
    ids = None if view is None or view.object_id is None else arrays[view.object_id.sha256]
    viewport = source if isinstance(source, Viewport) else None
    names = {number: name for name, number in object_ids(depsgraph).items()}
    shape = (camera.width, camera.height)
    return Sighted(shape, sights(context, camera, viewport), ids, names)


def _with_drawings(settings: ImageSettings, seen: Sighted, pictures: Buffers) -> ImageSettings:
    """The settings with a picture for each control that is drawn, put into `pictures`."""
    rows = []
    for control in settings.controls:
        drawing = control.drawing if control.enabled else None
        if drawing is not None:
            picture = drawn(control.kind, drawing, seen)
            control = replace(control, image=pictures.add(Kind.COLOR, picture))
        rows.append(control)
    return replace(settings, controls=tuple(rows))
