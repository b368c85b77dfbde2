"""Put a finished painting into the file: one undo step."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any, ClassVar

import bpy
from bpy.props import StringProperty

from underpaint.errors import UnderpaintError

from ..editing import marks
from ..gallery import samples
from ..image import results, showing
from ..link import runtime
from .failing import refuse


class UNDERPAINT_OT_apply_result(bpy.types.Operator):
    """Bring a finished painting into this file, as an image or as a layer"""

    bl_idname = "underpaint.apply_result"
    bl_label = "Underpaint: Painted"
    bl_options: ClassVar[set[str]] = {"UNDO", "INTERNAL"}

    job: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"}, description="The painting, by the id of its job"
    )

    def execute(self, context: Any) -> set[str]:
        live = runtime.live()
        task = live.finished.pop(self.job, None)
        if task is None:
            return {"CANCELLED"}
        try:
            images = results.apply_task(context, task)
        except UnderpaintError as error:
            live.error = error  # for the panel: nobody called this, so nobody hears a report
            return {"CANCELLED"}
        live.last_image = images[-1].name
        if task.target is None:
            samples.keep(images[-1], task.request)
        other = bpy.data.images.get(live.compared.pop(self.job, ""))
        if other is not None:
            marks.compare(images[-1], other)
        if self.job in live.marked:
            marks.finish(images[-1], live.marked.pop(self.job))
        elif self.job in live.opened:
            live.opened.discard(self.job)
            showing.show_large(images[-1])
        elif task.target is None:
            showing.show_newest(images[-1])
        return {"FINISHED"}


class UNDERPAINT_OT_show_large(bpy.types.Operator):
    """Show this painting large, where parts of it can be repainted"""

    bl_idname = "underpaint.show_large"
    bl_label = "Open in Image Editor"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    image: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"},
        description="The name of the image; empty: the last painting",
    )

    def execute(self, _context: Any) -> set[str]:
        image = bpy.data.images.get(self.image or runtime.live().last_image)
        try:
            results.request_of(image)
        except UnderpaintError as error:
            return refuse(self, error)
        if not bpy.app.background:
            showing.show_large(image)
        return {"FINISHED"}


class UNDERPAINT_OT_set_background(bpy.types.Operator):
    """Show this painting in the camera's view, in the place of the one before"""

    bl_idname = "underpaint.set_background"
    bl_label = "Show behind Camera"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    image: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"},
        description="The name of the image; empty: the one that is shown",
    )

    def execute(self, context: Any) -> set[str]:
        image = bpy.data.images.get(self.image)
        try:
            results.request_of(image)
            results.show_behind_camera(context.scene, image)
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}
