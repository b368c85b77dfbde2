"""Use the settings of an earlier painting again."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any, ClassVar

import bpy
from bpy.props import StringProperty

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.requests import ImageRequest, Request, TextureRequest

from ..image.request import settings_of
from ..image.results import request_of
from ..texture.request import texture_settings_of
from ..ui.properties import write_settings
from ..ui.texture_properties import write_texture_settings
from .failing import refuse


class UNDERPAINT_OT_use_settings(bpy.types.Operator):
    """Take prompt, seed and everything else from this painting"""

    bl_idname = "underpaint.use_settings"
    bl_label = "Use These Settings Again"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    image: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"},
        description="The name of the image; empty: the one that is shown",
    )

    def execute(self, context: Any) -> set[str]:
        try:
            request = request_of(bpy.data.images.get(self.image))
            use(context.scene, request)
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}


def use(scene: Any, request: Request) -> None:
    """Write a request's settings into the panel. Raises RequestError for one that has no panel."""
    if isinstance(request, TextureRequest):
        write_texture_settings(scene.underpaint_texture, texture_settings_of(request))
        scene.underpaint_texture.random_seed = False
        scene.underpaint.mode = "TEXTURE"
    elif isinstance(request, ImageRequest):
        write_settings(scene.underpaint, settings_of(request))
        scene.underpaint.random_seed = False
        scene.underpaint.mode = "IMAGE"
    else:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "these settings are of a picture made of another",
            hint="Use those of the picture that it was made of.",
        )
