"""Which of the panel's sub-panels a window shows. For scripts that `window_tools` serves."""

from __future__ import annotations

import bpy
from window_tools import addon


def sub_panels() -> list[type]:
    modules = (
        "ui.panels",
        "ui.image_panels",
        "following.panel",
        "animation.panels",
        "ui.part_panels",
        "ui.texture_panels",
        "gallery.panels",
    )
    classes = [cls for name in modules for cls in addon(name).CLASSES]
    classes.append(addon("ui.menus").UNDERPAINT_PT_loras)
    return [cls for cls in classes if getattr(cls, "bl_parent_id", "") == "UNDERPAINT_PT_main"]


def unfold_all() -> None:
    """Before they are drawn for the first time: Blender keeps what was folded once."""
    for cls in (*sub_panels(), addon("gallery.panels").UNDERPAINT_PT_everything_image):
        bpy.utils.unregister_class(cls)
        cls.bl_options = set(getattr(cls, "bl_options", ())) - {"DEFAULT_CLOSED"}
        bpy.utils.register_class(cls)


def only(*names: str) -> None:
    """Show these sub-panels, so that they fit; without names, all as usual."""
    for cls in sub_panels():
        if names and cls.__name__ not in names:
            cls.poll = classmethod(lambda _cls, _context: False)
        elif "poll" in vars(cls):
            del cls.poll
    addon("pump").redraw()
