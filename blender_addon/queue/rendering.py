"""Blender's own renders, seen as they begin and end."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..hooks import hook, unhook
from ..identity import ADDON
from ..link import runtime
from ..plain.own_render import is_own


@persistent  # type: ignore[untyped-decorator]
def begins(*_: Any) -> None:
    """An image or a range of frames is rendered. May be called in the render's thread."""
    if not is_own() and _is_wanted():
        runtime.live().leaving.begin()


@persistent  # type: ignore[untyped-decorator]
def is_over(*_: Any) -> None:
    """The end of all of it, or its cancellation."""
    runtime.live().leaving.end()


_WHEN = (
    ("render_init", begins),
    ("render_complete", is_over),
    ("render_cancel", is_over),
)


def register() -> None:
    hook(_WHEN)


def unregister() -> None:
    unhook(_WHEN)


def _is_wanted() -> bool:
    addon = bpy.context.preferences.addons.get(ADDON)
    return addon is None or bool(addon.preferences.yield_to_renders)
