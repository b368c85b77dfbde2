"""Add-on preferences: where the daemon is."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import StringProperty

from underpaint.paths import Paths

from ..link import supervisor


class UnderpaintPreferences(bpy.types.AddonPreferences):
    """Empty fields mean: find it."""

    bl_idname = __package__

    daemon_python: StringProperty(
        name="Daemon's Python",
        subtype="FILE_PATH",
        description="The Python that has the Underpaint daemon; empty finds the installed one",
    )
    data_folder: StringProperty(
        name="Data Folder",
        subtype="DIR_PATH",
        description="Where the daemon keeps its queue, models and logs; empty is the usual place",
    )

    def draw(self, _context: Any) -> None:
        column = self.layout.column()
        column.prop(self, "daemon_python", placeholder="found by itself")
        column.prop(self, "data_folder", placeholder="the usual place")
        row = column.row()
        row.label(text="Not installed yet? In the Underpaint folder run:")
        column.label(text="python3 installers/bootstrap.py install", icon="CONSOLE")
        column.operator("underpaint.start_daemon", icon="PLAY")


def daemon_paths() -> Paths:
    """The folders that the preferences choose; notes the chosen Python there.

    Raises RequestError when the chosen Python does not exist.
    """
    addon = bpy.context.preferences.addons.get(__package__)
    if addon is None:  # enabled by a script, without an entry in the preferences
        return supervisor.chosen_paths("")
    chosen = addon.preferences
    paths = supervisor.chosen_paths(_absolute(chosen.data_folder))
    if chosen.daemon_python:
        supervisor.choose_python(paths, _absolute(chosen.daemon_python))
    return paths


def _absolute(path: str) -> str:
    return bpy.path.abspath(path) if path else ""
