"""Generate: capture the view, hand the request over, come back at once."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

import random
from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, FloatProperty

from underpaint.buffers import Buffers
from underpaint.errors import UnderpaintError
from underpaint.requests import View

from .. import apply, pump, runtime
from ..capture import Source, Viewport, capture_view
from ..properties import MAX_SEED, read_settings
from ..request_builder import ImageSettings, image_request, wanted_buffers
from ..session import Task
from .failing import refuse

_ADDON = __package__.rpartition(".")[0]


class UNDERPAINT_OT_generate(bpy.types.Operator):
    """Paint over what the camera or this viewport sees"""

    bl_idname = "underpaint.generate"
    bl_label = "Generate"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    wait: BoolProperty(
        default=True,
        options={"HIDDEN", "SKIP_SAVE"},
        description="In background mode, return when it is painted",
    )
    timeout: FloatProperty(
        default=1800.0,
        min=1.0,
        subtype="TIME",
        options={"HIDDEN", "SKIP_SAVE"},
        description="In background mode, the longest to wait, seconds",
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        return context.scene is not None and not runtime.live().session.tasks

    def execute(self, context: Any) -> set[str]:
        live = runtime.live()
        live.error = None
        try:
            task = submit(context)
            pump.start()
            if bpy.app.background and self.wait:
                pump.run_until_ended(task, self.timeout)
        except UnderpaintError as error:
            return refuse(self, error)
        if task.error is not None:
            return refuse(self, task.error)
        return {"FINISHED"}


def submit(context: Any) -> Task:
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
