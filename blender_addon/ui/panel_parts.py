"""What the panels of both tabs share. No bpy."""

from __future__ import annotations

from typing import Any


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


def draw_sampling(layout: Any, settings: Any) -> None:
    """How to paint: sampler, steps, guidance and seed of `PaintingProperties`."""
    column = layout.column(align=True)
    for name in ("sampler", "steps", "guidance"):
        column.prop(settings, name)
    column = layout.column(align=True)
    row = column.row(align=True)
    row.active = not settings.random_seed
    row.prop(settings, "seed")
    column.prop(settings, "random_seed")


def draw_pattern(layout: Any, settings: Any) -> None:
    """How large patterns are, for models that follow a guide."""
    column = layout.column(align=True)
    for name in ("pattern_size", "pattern_seed", "own_uv"):
        if hasattr(settings, name):
            column.prop(settings, name)


def thumbnail(layout: Any, image: Any) -> int:
    """The icon of an image: its own picture where there is one."""
    picture = image.preview.icon_id if image.preview else 0
    return int(picture or layout.icon(image))
