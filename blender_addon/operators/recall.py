"""Use the settings of an earlier painting again."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import bpy
from bpy.props import StringProperty

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.following.leaving import painted_view
from underpaint.requests import Request, TextureRequest

from ..image.again import kept_pictures
from ..image.request import settings_of
from ..image.results import request_of
from ..image.words_again import WordsAgain, give_words, words_by_object
from ..languages import say
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
            image = bpy.data.images.get(self.image)
            request = request_of(image)
            tell(self, use(context.scene, request, folder_of(image)))
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}


@dataclass(frozen=True, slots=True)
class Used:
    """What came back: whether all `pictures` are there, and the `words` of objects."""

    pictures: bool
    words: WordsAgain


def use(scene: Any, request: Request, folder: Path | None) -> Used:
    """Write a request's settings into the panel, with the pictures that the painting's `folder`
    keeps, and to its objects their own words. Raises RequestError for one that has no panel."""
    if isinstance(request, TextureRequest):
        texture = texture_settings_of(request)
        wanted = tuple(one.image for one in texture.references if one.image is not None)
        kept = kept_pictures(folder, request, wanted)
        write_texture_settings(scene.underpaint_texture, texture, kept)
        scene.underpaint_texture.random_seed = False
        scene.underpaint.mode = "TEXTURE"
    elif (of_view := painted_view(request)) is not None:
        settings = settings_of(of_view)
        wanted = settings.pictures
        kept = kept_pictures(folder, request, wanted)
        write_settings(scene.underpaint, settings, kept)
        scene.underpaint.random_seed = False
        scene.underpaint.mode = "IMAGE"
    else:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "these settings are of a picture made of another",
            hint="Use those of the picture that it was made of.",
        )
    words = give_words(scene, words_by_object(request))
    return Used(all(ref.sha256 in kept for ref in wanted), words)


def tell(operator: Any, used: Used) -> None:
    """Say what did not come back, and what may paint otherwise now."""
    if not used.pictures:
        text = say("Its reference, masks or control images are no longer on this machine")
        operator.report({"WARNING"}, text)
    if used.words.lost:
        names = ", ".join(name or "?" for name in used.words.lost)
        text = say("Objects with words of their own are not in this scene: {names}", names=names)
        operator.report({"WARNING"}, text)
    if used.words.others:
        names = ", ".join(used.words.others)
        text = say("Other objects keep words of their own: {names}", names=names)
        operator.report({"INFO"}, text)


def folder_of(image: Any) -> Path | None:
    """Where an image's file is, and beside it what it was made with."""
    return Path(bpy.path.abspath(image.filepath)).parent if image.filepath else None
