"""The words of a prompt: styles, earlier prompts, and how much a phrase counts."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any, ClassVar

import bpy
from bpy.props import FloatProperty, IntProperty, StringProperty

from .. import own_files
from ..languages import say
from ..plain import history
from ..plain.prompt_words import STEP, phrases, weighed
from ..plain.styles import Style, applied, negatives, styles
from ..ui.painting_properties import shown_settings


class _Words:
    """A mixin: one undo step, on the settings of the tab that is shown."""

    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO", "INTERNAL"}


class UNDERPAINT_OT_style(_Words, bpy.types.Operator):
    """Put a style around the prompt, and its words to keep away from"""

    bl_idname = "underpaint.style"
    bl_label = "Style"

    name: StringProperty(options={"HIDDEN", "SKIP_SAVE"}, description="The name of the style")

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        style = _style(properties.name)
        return cls.__doc__ if style is None else f"{style.prompt}\nnot: {style.negative}"

    def execute(self, context: Any) -> set[str]:
        style = _style(self.name)
        if style is None:
            self.report({"ERROR"}, say("there is no style {name}", name=self.name))
            return {"CANCELLED"}
        group = shown_settings(context.scene)
        group.prompt, group.negative = applied(style, group.prompt, group.negative)
        return {"FINISHED"}


class UNDERPAINT_OT_use_prompt(_Words, bpy.types.Operator):
    """Put an earlier prompt in the place of this one"""

    bl_idname = "underpaint.use_prompt"
    bl_label = "Earlier Prompt"

    index: IntProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="Which of them, from 0, the newest first"
    )

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        found = history.prompts(own_files.prompts_file())
        return found[properties.index] if properties.index < len(found) else cls.__doc__

    def execute(self, context: Any) -> set[str]:
        found = history.prompts(own_files.prompts_file())
        if not 0 <= self.index < len(found):
            return {"CANCELLED"}
        shown_settings(context.scene).prompt = found[self.index]
        return {"FINISHED"}


class UNDERPAINT_OT_weigh(_Words, bpy.types.Operator):
    """Let this phrase count more or less in the picture; 1 is as written"""

    bl_idname = "underpaint.weigh"
    bl_label = "Weigh"

    index: IntProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="Which phrase of the prompt, from 0"
    )
    by: FloatProperty(
        default=STEP, options={"HIDDEN", "SKIP_SAVE"}, description="By how much; below 0: less"
    )

    def execute(self, context: Any) -> set[str]:
        group = shown_settings(context.scene)
        if not 0 <= self.index < len(phrases(group.prompt)):
            return {"CANCELLED"}
        group.prompt = weighed(group.prompt, self.index, self.by)
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_style, UNDERPAINT_OT_use_prompt, UNDERPAINT_OT_weigh)


def _style(name: str) -> Style | None:
    known = (*styles(own_files.styles_folder()), *negatives())
    return next((style for style in known if style.name == name), None)
