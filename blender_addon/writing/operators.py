"""Write a prompt in the Text Editor, weigh words there, and leave it again."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ..operators.failing import allowed
from ..plain.prompt_words import STEP, weighed_at
from ..ui.painting_properties import shown_settings
from . import texts

_FIELDS = (
    ("prompt", "Prompt", "What to paint"),
    ("negative", "Keep Away From", "What the picture should not show"),
)
_PART = 0.3
_LEAST_HEIGHT = 300


class UNDERPAINT_OT_write(bpy.types.Operator):
    """Write this in Blender's Text Editor, where Ctrl Up and Ctrl Down weigh the marked words"""

    bl_idname = "underpaint.write"
    bl_label = "Edit in Text Editor"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    field: EnumProperty(items=_FIELDS, options={"HIDDEN"}, description="Which of the two fields")

    def execute(self, context: Any) -> set[str]:
        text = texts.begin(shown_settings(context.scene), self.field)
        area = _editor(context)
        if area is not None:
            area.spaces.active.text = text
            area.tag_redraw()
        return {"FINISHED"}


class UNDERPAINT_OT_write_end(bpy.types.Operator):
    """No longer keep the Text and the panel's field in step"""

    bl_idname = "underpaint.write_end"
    bl_label = "End Editing in Text Editor"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    field: EnumProperty(items=_FIELDS, options={"HIDDEN"}, description="Which of the two fields")
    keep: BoolProperty(
        name="Keep the Text", default=True, description="Leave the Text in this file as it is"
    )

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        if properties.keep:
            return "Leave the Text as it is in this file; the panel's field no longer follows it"
        return "Remove the Text from this file; the panel's field keeps its words"

    def execute(self, context: Any) -> set[str]:
        texts.follow()
        texts.end(shown_settings(context.scene), self.field, keep=self.keep)
        return {"FINISHED"}


class UNDERPAINT_OT_weigh_marked(bpy.types.Operator):
    """Let the marked words, or the word at the cursor, count more or less in the picture"""

    bl_idname = "underpaint.weigh_marked"
    bl_label = "Weigh Words"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    by: FloatProperty(default=STEP, options={"HIDDEN"}, description="By how much; below 0: less")

    @classmethod
    def poll(cls, context: Any) -> bool:
        space = context.space_data
        text = space.text if space is not None and space.type == "TEXT_EDITOR" else None
        return allowed(cls, texts.of(text), "This Text is no prompt of Underpaint's")

    def execute(self, context: Any) -> set[str]:
        space = context.space_data
        text = space.text
        words = text.as_string()
        start, end = sorted(_places(text))
        found = weighed_at(words, start, end, self.by)
        if found is None:
            return {"CANCELLED"}
        _put(space, words, found.text)
        left, right = _at(found.text, found.start), _at(found.text, found.end)
        text.select_set(*left, *right)
        texts.follow()
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_write, UNDERPAINT_OT_write_end, UNDERPAINT_OT_weigh_marked)


def _put(space: Any, before: str, after: str) -> None:
    """What differs, as if it were typed: one step of the Text Editor's own undo."""
    text, begin, tail = space.text, 0, 0
    while begin < min(len(before), len(after)) and before[begin] == after[begin]:
        begin += 1
    shorter = min(len(before), len(after)) - begin
    while tail < shorter and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    text.select_set(*_at(before, begin), *_at(before, len(before) - tail))
    new = after[begin : len(after) - tail]
    overwrites, space.use_overwrite = space.use_overwrite, False
    if new:
        bpy.ops.text.insert("EXEC_DEFAULT", True, text=new)
    elif before != after:
        bpy.ops.text.delete("EXEC_DEFAULT", True, type="NEXT_CHARACTER")
    space.use_overwrite = overwrites


def _places(text: Any) -> tuple[int, int]:
    """Where the cursor and the end of what is marked are, in letters from the Text's beginning."""
    lines = [len(line.body) + 1 for line in text.lines]
    cursor = sum(lines[: text.current_line_index]) + text.current_character
    marked = sum(lines[: text.select_end_line_index]) + text.select_end_character
    return cursor, marked


def _at(words: str, place: int) -> tuple[int, int]:
    """Line and letter of a place."""
    before = words[:place]
    return before.count("\n"), len(before) - before.rfind("\n") - 1


def _editor(context: Any) -> Any:
    """A Text Editor of this window; if there is none, the lower part of the largest viewport."""
    window = context.window
    if window is None:
        return None
    areas = list(window.screen.areas)
    for area in areas:
        if area.type == "TEXT_EDITOR":
            return area
    views = [area for area in areas if area.type == "VIEW_3D" and area.height >= _LEAST_HEIGHT]
    if not views or window.screen.show_fullscreen:
        return None
    view = max(views, key=lambda area: area.width * area.height)
    with context.temp_override(window=window, area=view, region=view.regions[-1]):
        bpy.ops.screen.area_split(direction="HORIZONTAL", factor=_PART)
    new = [area for area in window.screen.areas if area not in areas]
    if not new:
        return None
    lower = min((view, *new), key=lambda area: area.y)
    lower.type = "TEXT_EDITOR"
    lower.spaces.active.show_word_wrap = True
    return lower
