"""Add-on preferences: where the daemon is."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from underpaint.paths import Paths

from ..identity import ADDON
from ..link import runtime, supervisor
from .install_parts import draw_in_preferences


class UnderpaintPreferences(bpy.types.AddonPreferences):
    """Empty fields mean: find it."""

    bl_idname = ADDON

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

    wheelhouse: StringProperty(
        name="Wheelhouse",
        subtype="DIR_PATH",
        description="A folder with every package that Install needs, for computers without a "
        "network; empty downloads them",
    )

    torch_index: StringProperty(
        name="PyTorch's Index",
        description="A mirror of PyTorch's package index for this computer's hardware, for "
        "networks in which its own cannot be reached; empty asks its own",
    )

    yield_to_renders: BoolProperty(
        name="Wait while Blender Renders",
        default=True,
        description="While Blender renders, no painting begins and the one under way waits at its "
        "next step, so that the render has the graphics card to itself",
    )

    def draw(self, _context: Any) -> None:
        column = self.layout.column()
        draw_in_preferences(column, runtime.live(), daemon_paths())
        column.separator()
        column.prop(self, "yield_to_renders")
        column.prop(self, "wheelhouse", placeholder="packages are downloaded")
        column.prop(self, "torch_index", placeholder="its own is asked")
        column.prop(self, "data_folder", placeholder="the usual place")
        column.prop(self, "daemon_python", placeholder="found by itself")
        column.operator("underpaint.start_daemon", icon="PLAY")


def wheelhouse() -> str:
    """The folder that Install takes packages from, or empty."""
    addon = bpy.context.preferences.addons.get(ADDON)
    return "" if addon is None else _absolute(addon.preferences.wheelhouse)


def torch_index() -> str:
    """The mirror of PyTorch's index that Install asks, or empty."""
    addon = bpy.context.preferences.addons.get(ADDON)
    return "" if addon is None else addon.preferences.torch_index.strip()


def daemon_paths() -> Paths:
    """The folders that the preferences choose; notes the chosen Python there.

    Raises RequestError when the chosen Python does not exist.
    """
    addon = bpy.context.preferences.addons.get(ADDON)
    if addon is None:  # enabled by a script, without an entry in the preferences
        return supervisor.chosen_paths("")
    chosen = addon.preferences
    paths = supervisor.chosen_paths(_absolute(chosen.data_folder))
    if chosen.daemon_python:
        supervisor.choose_python(paths, _absolute(chosen.daemon_python))
    return paths


def _absolute(path: str) -> str:
    return bpy.path.abspath(path) if path else ""
