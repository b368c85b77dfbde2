"""Changing the object's mode, with a word when Blender will not."""

from __future__ import annotations

from typing import Any

import bpy

from underpaint.errors import ErrorCode, RequestError

_CONTEXT_NAMES = {"TEXTURE_PAINT": "PAINT_TEXTURE", "EDIT": "EDIT_MESH"}


def enter(context: Any, mode: str) -> None:
    """Go to a mode (as `object.mode_set` names it), if not there. Raises UnderpaintError."""
    if context.mode == _CONTEXT_NAMES.get(mode, mode):
        return
    try:
        bpy.ops.object.mode_set(mode=mode)
    except RuntimeError as error:
        item = context.view_layer.objects.active
        name = repr(item.name) if item is not None else "no object"
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"{name} cannot go to {mode.replace('_', ' ').title()} mode",
            hint="Make the object visible and local, and select it.",
        ) from error
