"""Paint beyond the edges of the picture that the Image Editor shows."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import EnumProperty

from underpaint.buffers import Buffers
from underpaint.pictures.outpaint import Sides

from ..image import results
from ..image.pictures import color_of
from ..languages import say
from ..link import runtime
from ..link.task import Task
from ..operators.painting import Paints
from ..ui.painting_properties import choose_seed
from . import marks
from .own_words import edit_settings
from .picture import OfPicture
from .request import outpaint_request, sides_of

_SIDES = (
    ("LEFT", "Left", "Beyond the left edge"),
    ("TOP", "Top", "Beyond the top edge"),
    ("BOTTOM", "Bottom", "Beyond the bottom edge"),
    ("RIGHT", "Right", "Beyond the right edge"),
    ("ALL", "All Around", "Beyond all four edges"),
)
_ICONS = ("TRIA_LEFT", "TRIA_UP", "TRIA_DOWN", "TRIA_RIGHT", "FULLSCREEN_ENTER")


class UNDERPAINT_OT_outpaint(OfPicture, Paints, bpy.types.Operator):
    """Paint what lies beyond the picture's edges, by the prompt; the picture stays as it is"""

    bl_idname = "underpaint.outpaint"
    bl_label = "Beyond the Edges"

    side: EnumProperty(items=_SIDES, default="ALL", description="Beyond which edge to paint")

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        beyond = next(item[2] for item in _SIDES if item[0] == properties.side)
        tip = bpy.app.translations.pgettext_tip
        return f"{tip(beyond)}\n{tip(cls.__doc__)}"

    def execute(self, context: Any) -> set[str]:
        name, side = self.image, self.side
        part = context.scene.underpaint.outpaint_part

        def submit() -> Task:
            image = marks.need_image(context, name)
            size = (marks.original_of(image) or image).size
            return submit_sides(context, name, sides_of(side, round(part, 6), size))

        return self.paint_sized(context, submit, sized=False)


CLASSES = (UNDERPAINT_OT_outpaint,)


def draw_sides(layout: Any, settings: Any) -> None:
    """A button for each side, and how far they reach."""
    column = layout.column(align=True)
    column.label(text=say("Beyond the Edges"), translate=False)
    row = column.row(align=True)
    for (side, _name, _says), icon in zip(_SIDES, _ICONS, strict=True):
        row.operator("underpaint.outpaint", text="", icon=icon).side = side
    column.prop(settings, "outpaint_part")
    column.operator("underpaint.outpaint_frame", icon="FULLSCREEN_ENTER")


def submit_sides(context: Any, name: str, sides: Sides) -> Task:
    """Hand over what paints beyond the edges of the picture of a name, or of the one that is shown.
    Raises UnderpaintError."""
    image = marks.need_image(context, name)
    original = marks.original_of(image) or image
    group = context.scene.underpaint
    choose_seed(group)
    settings, buffers = edit_settings(original, group), Buffers()
    native = runtime.native_side(settings.model)
    request = outpaint_request(settings, color_of(original), sides, native, buffers)
    live = runtime.live()
    task = live.session.submit(
        request, buffers, scene=context.scene.name, folder=results.results_folder()
    )
    live.marked[task.id] = image.name
    return task
