"""What the gallery is searched for: of the window, not of the scene."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, PointerProperty, StringProperty

from ..languages import register_class
from ..link import runtime


def _models(_self: Any, _context: Any, _text: str) -> list[str]:
    return list(runtime.live().gallery.models)


def _scenes(_self: Any, _context: Any, _text: str) -> list[str]:
    return list(runtime.live().gallery.origins)


def _search(self: Any, _context: Any) -> None:
    runtime.live().gallery.search(self.words, self.model, self.origin, self.pinned)


class UnderpaintGallery(bpy.types.PropertyGroup):
    """The gallery's search."""

    words: StringProperty(
        name="Search",
        description="Show paintings whose prompts have all these words",
        options={"TEXTEDIT_UPDATE"},
        update=_search,
    )
    model: StringProperty(
        name="Model",
        description="Show what this model painted; empty: every model",
        search=_models,
        update=_search,
    )
    origin: StringProperty(
        name="Scene",
        description="Show what was painted for this scene; empty: every scene",
        search=_scenes,
        update=_search,
    )
    pinned: BoolProperty(
        name="Pinned",
        description="Show only the paintings that are pinned",
        default=False,
        update=_search,
    )
    far: FloatProperty(
        name="How Far",
        default=1.0,
        min=0.05,
        max=1.0,
        subtype="FACTOR",
        description="How far variations go from the painting: 1 paints anew, less begins from it",
    )


def register() -> None:
    register_class(UnderpaintGallery)
    bpy.types.WindowManager.underpaint_gallery = PointerProperty(type=UnderpaintGallery)


def unregister() -> None:
    del bpy.types.WindowManager.underpaint_gallery
    bpy.utils.unregister_class(UnderpaintGallery)
