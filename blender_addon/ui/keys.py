"""The keyboard: Ctrl Alt U opens the pie menu in the 3D viewport, Ctrl Up and Down weigh words of a
prompt in the Text Editor; changed in the preferences."""

from __future__ import annotations

from typing import Any

import bpy

from ..plain.prompt_words import STEP

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
    keymap = keys.keymaps.new(name="Text", space_type="TEXT_EDITOR")
    for key, by in (("UP_ARROW", STEP), ("DOWN_ARROW", -STEP)):
        # A Text that is no prompt refuses it, and Blender's own key is taken.
        item = keymap.keymap_items.new(
            "underpaint.weigh_marked", key, "PRESS", ctrl=True, repeat=True
        )
        item.properties.by = by
        _ADDED.append((keymap, item))


def unregister() -> None:
    while _ADDED:
        keymap, item = _ADDED.pop()
        keymap.keymap_items.remove(item)
