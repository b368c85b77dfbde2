"""Generate: capture the view, hand the request over, come back at once."""

from __future__ import annotations

from typing import Any

import bpy

from underpaint.buffers import Buffers

from .. import own_files
from ..capture import Source, Viewport, not_captured
from ..following.leaving import leave_alone
from ..following.taking import take
from ..image import results
from ..image.own_words import own_words
from ..image.request import image_request
from ..languages import say
from ..link import runtime
from ..link.task import Task
from ..plain import history
from ..ui.painting_properties import choose_seed
from ..ui.properties import read_settings
from .painting import Paints

_NAMED = 3


class UNDERPAINT_OT_generate(Paints, bpy.types.Operator):
    """Paint over what the camera or this viewport sees"""

    bl_idname = "underpaint.generate"
    bl_label = "Generate"

    def execute(self, context: Any) -> set[str]:
        group = context.scene.underpaint
        sized = bool(group.width and group.height)
        return self.paint_sized(context, lambda: _submit(context), sized=sized)


def _submit(context: Any) -> Task:
    group = context.scene.underpaint
    choose_seed(group)
    pictures = Buffers()
    settings = read_settings(group, pictures)
    where: Source = Viewport.of_area(context.area) if group.source == "VIEWPORT" else None
    taken = take(context, settings, pictures, where, runtime.native_side(settings.model))
    history.remember(own_files.prompts_file(), settings.prompt)
    words = own_words(context, taken.view, taken.buffers)
    request = image_request(taken.settings, taken.view, words)
    task = runtime.live().session.submit(
        leave_alone(context, settings.left_alone, request, taken.buffers),
        taken.buffers,
        scene=context.scene.name,
        folder=results.results_folder(),
    )
    if taken.view is not None and group.source != "VIEWPORT":
        task.warnings += _lacking(context)
    return task


def _lacking(context: Any) -> list[str]:
    """What this scene's renders show and the picture handed over does not, as a line to show."""
    found = not_captured(context.evaluated_depsgraph_get())
    if not found:
        return []
    names = ", ".join(found[:_NAMED])
    if len(found) > _NAMED:
        names = f"{names} {say('and {count} more', count=len(found) - _NAMED)}"
    return [say("Not seen by the model: {names}. Only surfaces are.", names=names)]
