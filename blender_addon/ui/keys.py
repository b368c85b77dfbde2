"""The keyboard: Ctrl Alt U opens the pie menu in the 3D viewport; changed in the preferences."""

from __future__ import annotations

from typing import Any

import bpy

_ADDED: list[tuple[Any, Any]] = []


def register() -> None:
    """Add the shortcut; background mode has no keyboard."""
    keys = bpy.context.window_manager.keyconfigs.addon
    if keys is None:
        return
    keymap = keys.keymaps.new(name="3D View", space_type="VIEW_3D")
    item = keymap.keymap_items.new("wm.call_menu_pie", "U", "PRESS", ctrl=True, alt=True)
    item.properties.name = "UNDERPAINT_MT_pie"
    _ADDED.append((keymap, item))


def unregister() -> None:
    while _ADDED:
        keymap, item = _ADDED.pop()
        keymap.keymap_items.remove(item)
