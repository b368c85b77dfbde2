"""What is done with a painting of the gallery: chosen, opened, used, varied, pinned, deleted."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import bpy
from bpy.props import FloatProperty, IntProperty, StringProperty

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.requests import Request
from underpaint.tree import to_json
from underpaint.wire.messages import PictureInfo

from .. import pump
from ..image import results, showing
from ..link import runtime
from ..link.left import Note
from ..link.marks import JOB_KEY
from ..link.saving import folder_name
from ..operators.failing import refuse
from ..operators.recall import tell, use
from ..plain.painting_settings import tidy
from ..ui.preferences import daemon_paths
from ..viewport.looking import look_through
from .looking import Looking
from .varying import Variations, vary

_WAIT_S = 30.0


class _OfPicture:
    """A mixin: a verb on one painting; without `job`, on the chosen one."""

    bl_options: ClassVar[set[str]] = {"REGISTER"}

    job: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="The painting, by the id of its job"
    )

    def act(self, verb: Callable[[Looking, PictureInfo, Request], None]) -> set[str]:
        """What `execute` gives."""
        looking = runtime.live().gallery
        try:
            verb(looking, *looking.require(self.job))
        except UnderpaintError as error:
            return refuse(self, error)
        pump.start()
        return {"FINISHED"}


class UNDERPAINT_OT_gallery_choose(bpy.types.Operator):
    """Show what this painting was made with, and what can be done with it"""

    bl_idname = "underpaint.gallery_choose"
    bl_label = "Choose"

    job: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="The painting, by the id of its job"
    )

    def execute(self, _context: Any) -> set[str]:
        looking = runtime.live().gallery
        try:
            looking.choose(self.job)
        except UnderpaintError as error:
            return refuse(self, error)
        if bpy.app.background:
            _wait_until(lambda: looking.request is not None or looking.error is not None)
        return {"FINISHED"}


class UNDERPAINT_OT_gallery_turn(bpy.types.Operator):
    """Turn the gallery's page, to newer or older paintings"""

    bl_idname = "underpaint.gallery_turn"
    bl_label = "Turn the Page"

    by: IntProperty(
        default=1,
        options={"HIDDEN", "SKIP_SAVE"},
        description="How many pages; below 0: to newer ones",
    )

    def execute(self, _context: Any) -> set[str]:
        runtime.live().gallery.turn(self.by)
        return {"FINISHED"}


class UNDERPAINT_OT_gallery_open(_OfPicture, bpy.types.Operator):
    """Bring this painting into the file, and show it in the Image Editor"""

    bl_idname = "underpaint.gallery_open"
    bl_label = "Open"

    def execute(self, context: Any) -> set[str]:
        return self.act(lambda _looking, picture, request: _open(context, picture, request))


class UNDERPAINT_OT_gallery_compare(_OfPicture, bpy.types.Operator):
    """Open this painting beside the one that is looked at: Before, After shows one and the other"""

    bl_idname = "underpaint.gallery_compare"
    bl_label = "Compare with the Shown"

    def execute(self, context: Any) -> set[str]:
        return self.act(
            lambda _looking, picture, request: _open(
                context, picture, request, _other(context, picture)
            )
        )


class UNDERPAINT_OT_gallery_use(_OfPicture, bpy.types.Operator):
    """Take prompt, seed and everything else from this painting"""

    bl_idname = "underpaint.gallery_use"
    bl_label = "Use These Settings Again"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        def used(_looking: Looking, picture: PictureInfo, request: Request) -> None:
            tell(self, use(context.scene, request, _saved_folder(picture.job)))

        return self.act(used)


class UNDERPAINT_OT_gallery_view(_OfPicture, bpy.types.Operator):
    """Look at the scene from where this painting was made"""

    bl_idname = "underpaint.gallery_view"
    bl_label = "This View Again"

    def execute(self, context: Any) -> set[str]:
        return self.act(lambda _looking, _picture, request: _look(context, request))


class UNDERPAINT_OT_gallery_vary(_OfPicture, bpy.types.Operator):
    """Paint more of this with other seeds, by the same words and view, as near to it as set"""

    bl_idname = "underpaint.gallery_vary"
    bl_label = "Paint Variations"

    count: IntProperty(
        name="Count",
        default=4,
        min=1,
        max=16,
        description="How many pictures, each with a seed of its own",
    )
    strength: FloatProperty(
        name="How Far",
        default=1.0,
        min=0.05,
        max=1.0,
        subtype="FACTOR",
        description="How far variations go from the painting: 1 paints anew, less begins from it",
    )

    def execute(self, context: Any) -> set[str]:
        how = Variations(context.scene.name, self.count, tidy(self.strength))
        return self.act(lambda looking, picture, request: vary(looking, picture, request, how))


class UNDERPAINT_OT_gallery_pin(_OfPicture, bpy.types.Operator):
    """Keep this painting whatever room it takes, or no longer"""

    bl_idname = "underpaint.gallery_pin"
    bl_label = "Pin"

    def execute(self, _context: Any) -> set[str]:
        return self.act(
            lambda looking, picture, _request: looking.pin(picture.job, not picture.pinned)
        )


class UNDERPAINT_OT_gallery_delete(_OfPicture, bpy.types.Operator):
    """Delete this painting from this machine for good; what is in the file stays"""

    bl_idname = "underpaint.gallery_delete"
    bl_label = "Delete"

    def invoke(self, context: Any, event: Any) -> Any:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context: Any) -> set[str]:
        return self.act(lambda looking, picture, _request: looking.remove(picture.job))


class UNDERPAINT_OT_gallery_folder(_OfPicture, bpy.types.Operator):
    """Open the folder with this painting's files"""

    bl_idname = "underpaint.gallery_folder"
    bl_label = "Folder"

    def execute(self, _context: Any) -> set[str]:
        return self.act(lambda _looking, picture, _request: _show_folder(picture.job))


CLASSES = (
    UNDERPAINT_OT_gallery_choose,
    UNDERPAINT_OT_gallery_turn,
    UNDERPAINT_OT_gallery_open,
    UNDERPAINT_OT_gallery_compare,
    UNDERPAINT_OT_gallery_use,
    UNDERPAINT_OT_gallery_view,
    UNDERPAINT_OT_gallery_vary,
    UNDERPAINT_OT_gallery_pin,
    UNDERPAINT_OT_gallery_delete,
    UNDERPAINT_OT_gallery_folder,
)


def _other(context: Any, picture: PictureInfo) -> str:
    """The image that a painting is compared with. Raises RequestError(FILE) where it is itself."""
    shown = showing.looked_at(context)
    if shown is None or shown.get(JOB_KEY) == picture.job:
        raise RequestError(
            ErrorCode.FILE,
            "no other painting is looked at",
            hint="Open one in the Image Editor, choose another in the gallery, and compare then.",
        )
    return str(shown.name)


def _open(context: Any, picture: PictureInfo, request: Request, beside: str = "") -> None:
    when = datetime.fromtimestamp(picture.created).astimezone()
    words = request.prompt.text
    new = results.results_folder() / folder_name(words, picture.job, when)
    folder = _saved_folder(picture.job) or new
    scene = context.scene.name
    note = Note(picture.job, words, to_json(request), scene, str(folder), os.getpid())
    try:
        task = runtime.live().session.fetch_left(note)
    except OSError as error:
        hint = "Make the folder writable, or save the .blend elsewhere."
        raise RequestError(ErrorCode.FILE, f"{folder}: {error}", hint=hint) from error
    if beside:
        runtime.live().compared[task.id] = beside
    if bpy.app.background:
        pump.run_until(lambda: task.ended, _WAIT_S)
    else:
        runtime.live().opened.add(task.id)


def _look(context: Any, request: Request) -> None:
    view = getattr(request, "view", None)
    if view is None:
        raise RequestError(
            ErrorCode.CAPTURE_FAILED,
            "this painting was not made of a view of a scene",
            hint="Choose a picture that was painted over a camera's or a viewport's view.",
        )
    look_through(context, view.camera)


def _show_folder(job: str) -> None:
    folder = _saved_folder(job) or daemon_paths().data / "jobs" / job / "results"
    if not folder.is_dir():
        raise RequestError(
            ErrorCode.FILE,
            f"{folder} is not there",
            hint="Press Open: it saves the files beside this .blend.",
        )
    if not bpy.app.background:
        bpy.ops.wm.path_open(filepath=str(folder))


def _saved_folder(job: str) -> Path | None:
    """Where this painting was saved by this file, if it was."""
    return next(iter(results.results_folder().glob(f"*-{job[:8]}")), None)


def _wait_until(condition: Callable[[], bool]) -> None:
    """Timers do not run in background mode."""
    deadline = time.monotonic() + _WAIT_S
    while not condition() and time.monotonic() < deadline:
        pump.tick()
        time.sleep(pump.BUDGET_S)
