"""Choose a model, and with it what it paints best with: one undo step."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from pathlib import Path
from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from underpaint.errors import RequestError

from ..link import runtime
from ..plain.model_notes import note_base
from ..ui.model_defaults import OWN_VALUES, take_by_hand, take_controls, take_defaults
from ..ui.painting_properties import shown_settings
from .failing import refuse


class UNDERPAINT_OT_choose_model(bpy.types.Operator):
    """Paint with this model, with the settings that it wants"""

    bl_idname = "underpaint.choose_model"
    bl_label = "Use"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN", "SKIP_SAVE"}, description="The name of the model")
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


class UNDERPAINT_OT_model_base(bpy.types.Operator):
    """Choose the folder of a whole model of the same kind, for a UNet also a checkpoint: a file that holds a transformer or UNet alone takes its text encoders and VAE from there"""  # noqa: E501 (Blender shows it whole)

    bl_idname = "underpaint.model_base"
    bl_label = "Its Other Parts"

    file: StringProperty(options={"HIDDEN", "SKIP_SAVE"}, description="The file of the part")
    directory: StringProperty(
        subtype="DIR_PATH",
        options={"HIDDEN", "SKIP_SAVE"},
        description="The folder of the whole model",
    )
    filepath: StringProperty(
        subtype="FILE_PATH",
        options={"HIDDEN", "SKIP_SAVE"},
        description="The whole model, where it is one file",
    )

    def invoke(self, context: Any, _event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: Any) -> set[str]:
        chosen = Path(bpy.path.abspath(self.filepath)) if self.filepath else None
        if chosen is None or chosen.suffix != ".safetensors" or not chosen.is_file():
            chosen = Path(bpy.path.abspath(self.directory))
        try:
            note_base(Path(bpy.path.abspath(self.file)), chosen)
        except RequestError as error:
            return refuse(self, error)
        runtime.live().session.ask_models()
        return {"FINISHED"}


_ITEMS = tuple((name, name.replace("_", " ").title(), "") for name in OWN_VALUES)


class UNDERPAINT_OT_by_hand(bpy.types.Operator):
    """Set this by hand; until then it is what the model paints best with"""

    bl_idname = "underpaint.by_hand"
    bl_label = "Set by Hand"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    name: EnumProperty(
        items=_ITEMS, options={"HIDDEN", "SKIP_SAVE"}, description="Which of the settings"
    )

    def execute(self, context: Any) -> set[str]:
        take_by_hand(shown_settings(context.scene), self.name)
        return {"FINISHED"}


class UNDERPAINT_OT_own_value(bpy.types.Operator):
    """Leave this to the model again"""

    bl_idname = "underpaint.own_value"
    bl_label = "Automatic"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    name: EnumProperty(
        items=_ITEMS, options={"HIDDEN", "SKIP_SAVE"}, description="Which of the settings"
    )

    def execute(self, context: Any) -> set[str]:
        setattr(shown_settings(context.scene), self.name, 0)
        return {"FINISHED"}


class UNDERPAINT_OT_controls_by_hand(bpy.types.Operator):
    """Choose by hand what of the scene is followed, and how strongly"""

    bl_idname = "underpaint.controls_by_hand"
    bl_label = "Set by Hand"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        take_controls(context.scene.underpaint)
        return {"FINISHED"}


class UNDERPAINT_OT_controls_by_model(bpy.types.Operator):
    """Follow the scene as the model was made to"""

    bl_idname = "underpaint.controls_by_model"
    bl_label = "Automatic"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        context.scene.underpaint.model_controls = True
        return {"FINISHED"}


CLASSES = (
    UNDERPAINT_OT_choose_model,
    UNDERPAINT_OT_model_base,
    UNDERPAINT_OT_by_hand,
    UNDERPAINT_OT_own_value,
    UNDERPAINT_OT_controls_by_hand,
    UNDERPAINT_OT_controls_by_model,
)
