"""What the model would be shown, as icons; their collection ends with the add-on."""

from __future__ import annotations

from typing import Any

import bpy.utils.previews

from .shown import Shown

_ICONS: list[Any] = []


def register() -> None:
    _ICONS.append(bpy.utils.previews.new())


def unregister() -> None:
    while _ICONS:
        bpy.utils.previews.remove(_ICONS.pop())


def update(shown: Shown) -> None:
    """Make icons of a look that has come, in place of those of the one before."""
    if not shown.fresh:
        return
    shown.fresh = False
    _ICONS[0].clear()
    for kind, file in shown.files.items():
        _ICONS[0].load(kind, str(file), "IMAGE")


def icon(kind: str) -> int:
    """A control's icon, or 0 while there is none."""
    icons = _ICONS[0]
    return int(icons[kind].icon_id) if kind in icons else 0
