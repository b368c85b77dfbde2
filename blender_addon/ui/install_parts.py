"""What panel, preferences and the Install dialog show of the daemon's installation. No bpy."""

from __future__ import annotations

from typing import Any

from underpaint.paths import Paths

from ..install.installing import installed, unfinished
from ..languages import say
from ..link import runtime
from .panel_parts import draw_text

_BIG, _BOX = 1.4, 2
_WIDE = 80
"""Letters a line of the preferences."""
_SIZES = "About 2 GB without a graphics card, up to 9 GB with one"


def draw_install(layout: Any, live: runtime.Runtime, room: int) -> None:
    """The way to a daemon, where there is none: the button, or how far it is. `room`: letters a
    line."""
    if live.is_installing:
        draw_progress(layout, live, room)
        return
    box = layout.box().column()
    draw_text(box, "What paints is not installed yet", room - _BOX, "IMPORT")
    draw_text(box, _SIZES, room - _BOX, "DISK_DRIVE")
    row = box.row()
    row.scale_y = _BIG
    row.operator("underpaint.install", icon="IMPORT")


def draw_progress(layout: Any, live: runtime.Runtime, room: int) -> None:
    """One bar, what is done now, Cancel. `room`: letters a line."""
    installing = live.installing
    if installing is None:
        return
    box = layout.box().column()
    row = box.row(align=True)
    row.scale_y = _BIG
    word = say("Removing" if installing.action == "remove" else "Installing")
    text = f"{word} {installing.overall:.0%}"
    row.progress(text=text, factor=installing.overall, type="BAR", translate=False)
    row.operator("underpaint.install_cancel", text="", icon="X")
    told = say(installing.text) + installing.numbers
    draw_text(box, told, room - _BOX, translate=False)


def draw_in_preferences(layout: Any, live: runtime.Runtime, paths: Paths) -> None:
    """Install, repair, remove."""
    if live.is_installing:
        draw_progress(layout, live, _WIDE)
        return
    python = installed(paths)
    if not python:
        text = "Go On Installing" if unfinished(paths) else "Install"
        row = layout.row(align=True)
        row.operator("underpaint.install", text=text, icon="IMPORT")
        if unfinished(paths):
            row.operator("underpaint.uninstall", icon="TRASH")
        return
    layout.label(text=say("Installed: {path}", path=python), icon="CHECKMARK", translate=False)
    row = layout.row(align=True)
    row.operator("underpaint.install", text="Update", icon="FILE_REFRESH")
    row.operator("underpaint.install", text="Repair", icon="TOOL_SETTINGS").fresh = True
    row.operator("underpaint.uninstall", icon="TRASH")


def draw_question(layout: Any, context: Any, operator: Any, paths: Paths) -> None:
    """What is about to be done: how big, from where, to where."""
    column = layout.column(align=True)
    column.label(text="What paints gets a Python of its own, outside Blender:")
    column.label(text=str(paths.data / "environments"), icon="FILE_FOLDER")
    column.label(text=_SIZES, icon="DISK_DRIVE")
    rows = layout.column()
    rows.use_property_split = True
    rows.prop(operator, "hardware")
    rows.prop(operator, "wheelhouse")
    system = context.preferences.system
    if not operator.wheelhouse and not system.use_online_access:
        box = layout.box().column()
        box.label(text="It is downloaded: Blender must be allowed to use the network", icon="ERROR")
        box.prop(system, "use_online_access")
