"""Choose a model, and with it what it paints best with: one undo step."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ..link import runtime
from ..ui.model_defaults import take_defaults
from ..ui.painting_properties import shown_settings


class UNDERPAINT_OT_choose_model(bpy.types.Operator):
    """Paint with this model, with the settings that it wants"""

    bl_idname = "underpaint.choose_model"
    bl_label = "Use"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    name: StringProperty(options={"SKIP_SAVE"})
    defaults: BoolProperty(
        name="Its Settings",
        default=True,
        description="Also take its size, sampler, steps, guidance and controls",
    )

    def execute(self, context: Any) -> set[str]:
        group = shown_settings(context.scene)
        group.model = self.name
        records = runtime.live().session.model_records
        record = next((model for model in records if model.name == self.name), None)
        if self.defaults:
            take_defaults(group, record)
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_choose_model,)
