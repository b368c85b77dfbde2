"""What a live picture is asked of: the view, the panel's settings, the scene. No bpy."""

from __future__ import annotations

from typing import Any

from underpaint.buffers import Buffers
from underpaint.requests import ImageRequest, InpaintRequest

from ..capture import Kept, Viewport
from ..following.leaving import leave_alone
from ..following.taking import take
from ..image.own_words import own_words
from ..image.request import ImageSettings, image_request
from ..link.runtime import native_side, record_of
from ..plain.live_plan import Best, Plan, at_level
from ..ui.properties import read_settings

_ROUNDED = 5


def what_is_seen(context: Any, changes: int) -> tuple[tuple[Any, ...], Best]:
    """What a picture depends on: view, size, settings, scene; and what the best one is like.

    `changes`: of the scene so far."""
    view, region = context.region_data, context.region
    space = context.space_data
    matrices = (view.view_matrix, view.window_matrix)
    numbers = tuple(round(x, _ROUNDED) for m in matrices for row in m for x in row)
    settings = read_settings(context.scene.underpaint)
    shown = (space.local_view is not None, space.shading.type)
    key = (numbers, region.width, region.height, settings, context.scene.name, shown, changes)
    return key, _best(settings)


def _best(settings: ImageSettings) -> Best:
    """By the model's own values where none are set, and usual ones where it is not known."""
    record, usual, native = record_of(settings.model), Best(), native_side(settings.model)
    own = record.defaults if record is not None else {}
    return Best(
        ((settings.width or native) * (settings.height or native)) ** 0.5,
        settings.steps or int(own.get("steps", usual.steps)),
        settings.guidance or float(own.get("guidance", usual.guidance)),
    )


def request_at(
    context: Any, area: Any, plan: Plan, kept: Kept
) -> tuple[ImageRequest | InpaintRequest, Buffers]:
    """The request of the plan's next picture, captured now. Raises UnderpaintError."""
    pictures = Buffers()
    region = context.region
    asked = read_settings(context.scene.underpaint, pictures)
    aspect = region.width / region.height
    settings = at_level(asked, plan.level, aspect, plan.best)
    assert settings.width
    where = Viewport.of_area(area)
    taken = take(context, settings, pictures, where, settings.width, kept)
    words = own_words(context, taken.view, taken.buffers)
    request = image_request(taken.settings, taken.view, words)
    return leave_alone(context, asked.left_alone, request, taken.buffers), taken.buffers
