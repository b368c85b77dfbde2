"""The lists of the panel: LoRAs (files, or one of the model's own), references and parts of the
picture."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from pathlib import Path
from typing import Any, ClassVar

import bpy
from bpy.props import CollectionProperty, StringProperty

from ..ui.painting_properties import shown_settings
from .failing import allowed


def _taken_off(group: Any, items: str, active: str) -> set[str]:
    """Take the active entry off a list; the one before it is active then, if it was the last."""
    entries, index = getattr(group, items), getattr(group, active)
    entries.remove(index)
    setattr(group, active, min(index, len(entries) - 1))
    return {"FINISHED"}


class LoraFiles:
    """A mixin of operators that add LoRAs: files, or one of the model's own by its name."""

    name: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"},
        description="One of the model's own LoRAs, in place of a file",
    )
    directory: StringProperty(
        subtype="DIR_PATH",
        options={"HIDDEN", "SKIP_SAVE"},
        description="The folder of the chosen files",
    )
    files: CollectionProperty(
        type=bpy.types.OperatorFileListElement,
        options={"HIDDEN", "SKIP_SAVE"},
        description="The chosen files, by name",
    )
    filter_glob: StringProperty(
        default="*.safetensors",
        options={"HIDDEN"},
        description="Which files the file browser shows",
    )

    def paths(self) -> list[str]:
        """What was chosen."""
        files = [str(Path(self.directory) / file.name) for file in self.files if file.name]
        return [self.name] if self.name else files


class UNDERPAINT_OT_lora_add(LoraFiles, bpy.types.Operator):
    """Add LoRA files: small additions to a model that change what it paints, or in what manner"""

    bl_idname = "underpaint.lora_add"
    bl_label = "Add LoRA"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def invoke(self, context: Any, _event: Any) -> set[str]:
        if self.name:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        group = shown_settings(context.scene)
        for path in self.paths():
            group.loras.add().path = path
        group.active_lora = len(group.loras) - 1
        return {"FINISHED"}


class UNDERPAINT_OT_lora_remove(bpy.types.Operator):
    """Take this LoRA off the list; its file stays"""

    bl_idname = "underpaint.lora_remove"
    bl_label = "Remove LoRA"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return allowed(cls, shown_settings(context.scene).loras, "The list is empty")

    def execute(self, context: Any) -> set[str]:
        return _taken_off(shown_settings(context.scene), "loras", "active_lora")


class UNDERPAINT_OT_reference_add(bpy.types.Operator):
    """Add a picture that the model reads beside the words"""

    bl_idname = "underpaint.reference_add"
    bl_label = "Add Reference"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    image: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="The image's name; empty: chosen in the list"
    )

    def execute(self, context: Any) -> set[str]:
        group = shown_settings(context.scene)
        group.references.add().image = bpy.data.images.get(self.image)
        group.active_reference = len(group.references) - 1
        return {"FINISHED"}


class UNDERPAINT_OT_reference_remove(bpy.types.Operator):
    """Take this reference off the list; its picture stays in the file"""

    bl_idname = "underpaint.reference_remove"
    bl_label = "Remove Reference"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return allowed(cls, shown_settings(context.scene).references, "The list is empty")

    def execute(self, context: Any) -> set[str]:
        return _taken_off(shown_settings(context.scene), "references", "active_reference")


class UNDERPAINT_OT_region_add(bpy.types.Operator):
    """Add a part of the picture that is painted by words of its own, where a mask is white"""

    bl_idname = "underpaint.region_add"
    bl_label = "Add Part"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        group = context.scene.underpaint
        group.regions.add()
        group.active_region = len(group.regions) - 1
        return {"FINISHED"}


class UNDERPAINT_OT_region_remove(bpy.types.Operator):
    """Take this part off the list; its mask stays in the file"""

    bl_idname = "underpaint.region_remove"
    bl_label = "Remove Part"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return allowed(cls, context.scene.underpaint.regions, "The list is empty")

    def execute(self, context: Any) -> set[str]:
        return _taken_off(context.scene.underpaint, "regions", "active_region")


CLASSES = (
    UNDERPAINT_OT_lora_add,
    UNDERPAINT_OT_lora_remove,
    UNDERPAINT_OT_reference_add,
    UNDERPAINT_OT_reference_remove,
    UNDERPAINT_OT_region_add,
    UNDERPAINT_OT_region_remove,
)
