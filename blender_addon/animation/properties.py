"""The Animation section's settings, saved with the scene: `scene.underpaint_animation`."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

import bpy
from bpy.props import FloatProperty, PointerProperty, StringProperty

from ..languages import register_class


class UnderpaintAnimation(bpy.types.PropertyGroup):
    """`last`: the folder of the series that was painted last."""

    refresh: FloatProperty(
        name="Refresh",
        default=0.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How much of every frame is painted anew: at 0 paint stays on its surface; "
        "more follows light and words that change, and flickers more",
    )
    folder: StringProperty(
        name="Folder",
        subtype="DIR_PATH",
        description="Where each animation gets a folder of its own; empty: beside the .blend",
    )
    last: StringProperty(
        options={"HIDDEN"}, description="The folder of the animation that was painted last"
    )


def register() -> None:
    register_class(UnderpaintAnimation)
    bpy.types.Scene.underpaint_animation = PointerProperty(type=UnderpaintAnimation)


def unregister() -> None:
    del bpy.types.Scene.underpaint_animation
    bpy.utils.unregister_class(UnderpaintAnimation)
