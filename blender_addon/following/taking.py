"""The view that settings ask for, captured, with the pictures that are drawn for it. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from underpaint.buffers import Array, Buffers, Kind
from underpaint.requests import View

from ..capture import Kept, Source, Viewport, capture_view
from ..capture.sources import resolve
from ..image.given import with_pictures
from ..image.request import ImageSettings, wanted_buffers
from .drawn import Seen, drawn
from .kinds import ControlSource


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
    by_object = any(
        control.drawn and control.read_from is ControlSource.OBJECTS
        for control in settings.active_controls
    )
    view, buffers = None, Buffers()
    if wants or by_object:
        whole = wants | ({Kind.OBJECT_ID} if by_object else set())
        view, buffers = capture_view(context, source, *size, frozenset(whole), kept=kept)
    settings = _with_drawings(context, settings, view, buffers, source, size, pictures)
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


def _with_drawings(
    context: Any,
    settings: ImageSettings,
    view: View | None,
    arrays: Mapping[str, Array],
    source: Source,
    size: tuple[int, int],
    pictures: Buffers,
) -> ImageSettings:
    """The settings with a picture for each control that is drawn here, put into `pictures`."""
    if not any(control.drawn for control in settings.active_controls):
        return settings
    camera = view.camera if view is not None else None
    if camera is None:
        camera = resolve(source, context.evaluated_depsgraph_get(), *size)
    ids = None if view is None or view.object_id is None else arrays[view.object_id.sha256]
    seen = Seen(camera, source if isinstance(source, Viewport) else None, ids)
    return replace(
        settings,
        controls=tuple(
            replace(control, image=pictures.add(Kind.COLOR, drawn(context, control, seen)))
            if control.enabled and control.drawn
            else control
            for control in settings.controls
        ),
    )
