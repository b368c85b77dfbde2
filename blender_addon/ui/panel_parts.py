"""What the panels of both tabs share. No bpy."""

from __future__ import annotations

from typing import Any

from ..languages import say, tell
from .model_defaults import offered, own_value
from .wrapping import width_of, wrapped

_CHARACTER_PX = 7.0
_FEWEST = 16
_MARGIN_PX, _ICON_PX = 30, 20
_SPLIT = 0.4


class InSidebar:
    """Where the panels are. `mode`: the tab that a panel belongs to; empty = both."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Underpaint"
    mode = ""

    @classmethod
    def poll(cls, context: Any) -> bool:
        return not cls.mode or bool(context.scene.underpaint.mode == cls.mode)


def in_property_rows(layout: Any) -> Any:
    """A layout with names on the left and values on the right, as in Blender's own editors."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    return layout


def in_full_rows(layout: Any) -> Any:
    """A column for what is on or off: beside names on the left, the words would be cut."""
    column = layout.column(align=True)
    column.use_property_split = False
    return column


def draw_sampling(layout: Any, settings: Any) -> None:
    """How to paint: sampler, steps, guidance and seed of `PaintingProperties`."""
    column = layout.column(align=True)
    column.prop(settings, "sampler")
    draw_own(column, settings, "steps")
    draw_own(column, settings, "guidance")
    if offered(settings, "curves", "guidance_curve"):
        column.prop(settings, "guidance_curve", placeholder="Even")
    if hasattr(settings, "image_guidance") and offered(
        settings, "image_guidance", "image_guidance"
    ):
        draw_own(column, settings, "image_guidance")
    column = layout.column(align=True)
    row = column.row(align=True)
    row.active = not settings.random_seed
    row.prop(settings, "seed")
    in_full_rows(layout).prop(settings, "random_seed")


def draw_pattern(layout: Any, settings: Any) -> None:
    """How large patterns are, for models that follow a guide."""
    column = in_property_rows(layout.column(align=True))
    draw_own(column, settings, "pattern_size")
    column.prop(settings, "pattern_seed")
    for switch in ("own_uv", "pattern_ground"):
        if hasattr(settings, switch):
            in_full_rows(layout).prop(settings, switch)


def draw_lock(row: Any, item: Any) -> None:
    """Whether an object is left alone."""
    icon = "LOCKED" if item.underpaint_leave else "UNLOCKED"
    row.prop(item, "underpaint_leave", text="", icon=icon)


def draw_own(column: Any, settings: Any, name: str) -> None:
    """A value that is the model's while it is 0: a button that takes it into the hand; then the
    number, and the way back."""
    if getattr(settings, name):
        row = column.row(align=True)
        row.prop(settings, name)
        row.operator("underpaint.own_value", text="", icon="LOOP_BACK").name = name
        return
    row = column.split(factor=_SPLIT, align=True)
    label = row.row()
    label.alignment = "RIGHT"
    label.label(text=say(settings.bl_rna.properties[name].name), translate=False)
    value = own_value(settings, name)
    told = say("Automatic") if value is None else f"{say('Automatic')}: {value:g}"
    row.operator("underpaint.by_hand", text=told, translate=False).name = name


def characters(context: Any) -> int:
    """How many letters fit into a line of this sidebar."""
    scale = context.preferences.system.ui_scale or 1.0  # background mode has no scale
    return max(_FEWEST, int(context.region.width / (_CHARACTER_PX * scale)) - 4)


def draw_text(
    layout: Any,
    text: str,
    room: int,
    icon: str = "NONE",
    most: int = 6,
    scale: float = 0.8,
    translate: bool = True,
) -> None:
    """Text in as many lines as it needs, at most `most`; `room`: letters of middling width a line.

    `translate`: no for the artist's own words.
    """
    column = layout.column(align=True)
    column.scale_y = scale
    text = tell(text) if translate else text
    width = room * _CHARACTER_PX - _MARGIN_PX - (_ICON_PX if icon != "NONE" else 0)
    for index, line in enumerate(wrapped(text, width, most)):
        shown = "BLANK1" if index and icon != "NONE" else icon
        column.label(text=line, icon=shown, translate=False)


def fits(text: str, room: int) -> bool:
    """Whether a line of so many letters of middling width holds a text."""
    return width_of(text) <= room * _CHARACTER_PX


def sentence(text: str) -> str:
    """With a capital at its beginning, in the interface's language where that has it."""
    told = tell(text)
    return told[:1].upper() + told[1:]


def thumbnail(layout: Any, image: Any) -> int:
    """The icon of an image: its own picture where there is one."""
    picture = image.preview.icon_id if image.preview else 0
    return int(picture or layout.icon(image))
