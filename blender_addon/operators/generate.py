"""Generate: capture the view, hand the request over, come back at once."""

from __future__ import annotations

import random
from typing import Any

import bpy

from underpaint.buffers import Buffers
from underpaint.requests import View

from .. import apply, runtime
from ..capture import Source, Viewport, capture_view
from ..properties import MAX_SEED, read_settings
from ..request_builder import ImageSettings, image_request, wanted_buffers
from ..session import Task
from .painting import Paints

_ADDON = __package__.rpartition(".")[0]


class UNDERPAINT_OT_generate(Paints, bpy.types.Operator):
    """Paint over what the camera or this viewport sees"""

    bl_idname = "underpaint.generate"
    bl_label = "Generate"

    def submit(self, context: Any) -> Task:
        """Capture what the panel asks for and hand it over. Raises UnderpaintError."""
        group = context.scene.underpaint
        if group.random_seed:
            group.seed = random.randint(0, MAX_SEED)
        settings = read_settings(group)
        view, buffers = _capture(context, settings, group.source)
        request = image_request(settings, view)
        return runtime.live().session.submit(
            request, buffers, scene=context.scene.name, folder=apply.results_folder(_ADDON)
        )


def _capture(context: Any, settings: ImageSettings, source: str) -> tuple[View | None, Buffers]:
    wants = wanted_buffers(settings)
    if not wants:
        return None, Buffers()
    where: Source = Viewport.of_area(context.area) if source == "VIEWPORT" else None
    return capture_view(context, where, settings.width, settings.height, wants)
