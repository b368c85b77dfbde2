"""What happens when the artist saves, undoes and redoes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .editing import undoing
from .hooks import hook, unhook
from .layers import nodes, pixels, shown
from .layers.stack import LOOKS


@persistent  # type: ignore[untyped-decorator]
def keep_images(*_: Any) -> None:
    """Before saving: masks and flattened layers live in the .blend, and what was painted over."""
    for image in set(_images()):
        pixels.keep(image)


@persistent  # type: ignore[untyped-decorator]
def refresh_shown(*_: Any) -> None:
    """After undo and redo."""
    shown.refresh_all()
    undoing.restore()


@persistent  # type: ignore[untyped-decorator]
def before_undo(*_: Any) -> None:
    """Before undo and redo."""
    undoing.remember()


@persistent  # type: ignore[untyped-decorator]
def refresh_opened(*_: Any) -> None:
    """After a file was opened."""
    shown.refresh_lost()


_WHEN = (
    ("load_post", refresh_opened),
    ("save_pre", keep_images),
    ("undo_pre", before_undo),
    ("redo_pre", before_undo),
    ("undo_post", refresh_shown),
    ("redo_post", refresh_shown),
)


def register() -> None:
    hook(_WHEN)


def unregister() -> None:
    unhook(_WHEN)


def _images() -> Iterator[Any]:
    """Every image that layers use."""
    for material in bpy.data.materials:
        stack = material.underpaint
        found = [stack.edit_mask]
        for layer in stack.layers:
            looks = (layer.paint, layer.candidate)
            found += [layer.mask, *(getattr(look, name) for look in looks for name in LOOKS)]
        node = nodes.display_node(material) if found[1:] else None
        found += [] if node is None else [node.image]
        yield from (image for image in found if image is not None)
