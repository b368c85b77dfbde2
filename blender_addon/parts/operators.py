"""Give a LoRA to a single object, or to a part of the picture, and take it back."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..languages import say
from ..link import runtime
from ..operators.failing import allowed
from ..operators.lists import LoraFiles
from ..ui.painting_properties import shown_settings
from .own import can_wear

_OWNER = "The object's full name; empty: the chosen part of the picture"


class UNDERPAINT_OT_part_lora_add(LoraFiles, bpy.types.Operator):
    """Give it a LoRA of its own, which acts there alone: one of the model's, or a file"""

    bl_idname = "underpaint.part_lora_add"
    bl_label = "Add Its Own LoRA"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    owner: StringProperty(options={"HIDDEN", "SKIP_SAVE"}, description=_OWNER)
    browse: BoolProperty(
        options={"HIDDEN", "SKIP_SAVE"},
        description="Choose files, whatever LoRAs the model brings",
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        why = "This model takes no LoRAs for single objects or parts"
        return allowed(cls, can_wear(context.scene), why)

    def invoke(self, context: Any, _event: Any) -> set[str]:
        record = runtime.record_of(shown_settings(context.scene).model)
        names = () if record is None else record.loras
        if self.name:
            return self.execute(context)
        if self.browse or not names:
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        owner = self.owner

        def draw(menu: Any, _context: Any) -> None:
            menu.layout.operator_context = "INVOKE_DEFAULT"
            for name in names:
                button = menu.layout.operator(self.bl_idname, text=name, translate=False)
                button.owner, button.name = owner, name
            menu.layout.separator()
            button = menu.layout.operator(self.bl_idname, text="From a File …", icon="FILE_FOLDER")
            button.owner, button.browse = owner, True

        context.window_manager.popup_menu(draw, title=say("LoRA"))
        return {"FINISHED"}

    def execute(self, context: Any) -> set[str]:
        items = _list_of(context.scene, self.owner)
        if items is None:
            self.report({"ERROR"}, say("It is not in this scene, or of another file"))
            return {"CANCELLED"}
        for path in self.paths():
            items.add().path = path
        if self.owner and context.scene.underpaint.mode == "IMAGE":
            context.scene.underpaint.object_prompts = True  # else it would not act
        return {"FINISHED"}


class UNDERPAINT_OT_part_lora_remove(bpy.types.Operator):
    """Take this LoRA off again; its file stays"""

    bl_idname = "underpaint.part_lora_remove"
    bl_label = "Remove Its Own LoRA"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    owner: StringProperty(options={"HIDDEN", "SKIP_SAVE"}, description=_OWNER)
    index: IntProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="Which LoRA of its list, from 0"
    )

    def execute(self, context: Any) -> set[str]:
        items = _list_of(context.scene, self.owner)
        if items is None or not 0 <= self.index < len(items):
            return {"CANCELLED"}
        items.remove(self.index)
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_part_lora_add, UNDERPAINT_OT_part_lora_remove)


def _list_of(scene: Any, owner: str) -> Any:
    """The LoRAs of an object by its full name, or of the chosen part; None where they cannot be
    changed."""
    if owner:
        item = next((one for one in scene.objects if one.name_full == owner), None)
        return None if item is None or item.library is not None else item.underpaint_loras
    group = scene.underpaint
    there = 0 <= group.active_region < len(group.regions)
    return group.regions[group.active_region].loras if there else None
