"""Functions that Blender calls when something happens, such as a save or a render."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import bpy

Hooks = Sequence[tuple[str, Callable[..., Any]]]
"""Names of lists in `bpy.app.handlers`, and what is called for each."""


def hook(hooks: Hooks) -> None:
    for when, called in hooks:
        getattr(bpy.app.handlers, when).append(called)


def unhook(hooks: Hooks) -> None:
    """Take them back; what is no longer there is passed over."""
    for when, called in hooks:
        present = getattr(bpy.app.handlers, when)
        if called in present:
            present.remove(called)
