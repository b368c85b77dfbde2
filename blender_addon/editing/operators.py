"""Mark, repaint, compare, send: the verbs of the Image Editor's sidebar."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import bpy
from bpy.props import EnumProperty, FloatProperty, FloatVectorProperty

from underpaint.buffers import Buffers, Kind
from underpaint.errors import UnderpaintError
from underpaint.files.inputs import load_inputs
from underpaint.requests import ImageRequest, InpaintRequest

from ..image import results
from ..image.pictures import color_of
from ..link import runtime
from ..link.task import Task
from ..operators.failing import refuse
from ..operators.painting import Paints
from ..ui.painting_properties import choose_seed
from . import marks, sending
from .own_words import edit_settings
from .picture import OfPicture
from .projecting import project
from .request import enlarge_request, marked, over_view, repaint_request, tinted

_TO = (
    ("REFERENCE", "As Reference", "An upright picture to model after, which renders do not show"),
    ("PLANE", "As Plane", "A plane that shows the picture as it is, in renders too"),
    ("COMPOSITOR", "To the Compositor", "An image node in the scene's compositor"),
    (
        "PROJECT",
        "Project onto the Scene",
        "Onto the selected objects, else all, from the view that it was painted for; what that "
        "view does not see stays as it is",
    ),
)
_SEND = {
    "REFERENCE": sending.as_reference,
    "PLANE": sending.as_plane,
    "COMPOSITOR": sending.as_compositor_node,
    "PROJECT": project,
}


class _OnImage(OfPicture):
    """A mixin: a verb on the image of a name, or on the one that the Image Editor shows."""

    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def act(self, context: Any, verb: Callable[[Any], None]) -> set[str]:
        """What `execute` gives."""
        try:
            verb(marks.need_image(context, self.image))
        except UnderpaintError as error:
            return refuse(self, error)
        return {"FINISHED"}


class UNDERPAINT_OT_marks_begin(_OnImage, bpy.types.Operator):
    """Paint on the picture, in any colour, what is to be repainted"""

    bl_idname = "underpaint.marks_begin"
    bl_label = "Paint Marks"

    def execute(self, context: Any) -> set[str]:
        return self.act(context, lambda image: _paint_on(context, _marks(image)))


class UNDERPAINT_OT_marks_box(_OnImage, bpy.types.Operator):
    """Draw a box over what is to be repainted"""

    bl_idname = "underpaint.marks_box"
    bl_label = "Draw a Box"

    box: FloatVectorProperty(
        size=4,
        options={"SKIP_SAVE"},
        description="Left, bottom, right and top, as parts of the picture's sides",
    )

    def invoke(self, context: Any, _event: Any) -> Any:
        context.window.cursor_modal_set("CROSSHAIR")
        context.window_manager.modal_handler_add(self)
        self.began = False
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> Any:
        if event.type in ("ESC", "RIGHTMOUSE"):
            context.window.cursor_modal_restore()
            return {"CANCELLED"}
        if event.type != "LEFTMOUSE":
            return {"RUNNING_MODAL"}
        region = next(region for region in context.area.regions if region.type == "WINDOW")
        x, y = event.mouse_x - region.x, event.mouse_y - region.y
        at = region.view2d.region_to_view(x, y)
        if event.value == "PRESS":
            self.box, self.began = (*at, *at), True
        elif self.began:
            context.window.cursor_modal_restore()
            self.box = (*self.box[:2], *at)
            return self.execute(context)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        return self.act(context, lambda image: _box_on(image, tuple(self.box)))


class UNDERPAINT_OT_marks_clear(_OnImage, bpy.types.Operator):
    """Take the marks away; the picture is as it was"""

    bl_idname = "underpaint.marks_clear"
    bl_label = "Clear Marks"

    def execute(self, context: Any) -> set[str]:
        return self.act(context, _clear)


class UNDERPAINT_OT_repaint_here(OfPicture, Paints, bpy.types.Operator):
    """Repaint what is marked, by the words above; the rest stays as it is, pixel by pixel"""

    bl_idname = "underpaint.repaint_here"
    bl_label = "Repaint Here"

    def execute(self, context: Any) -> set[str]:
        name = self.image
        return self.paint_sized(context, lambda: _submit(context, name), sized=False)


class UNDERPAINT_OT_enlarge(OfPicture, Paints, bpy.types.Operator):
    """Make the picture larger, and paint the detail that it lacks"""

    bl_idname = "underpaint.enlarge"
    bl_label = "Enlarge"

    factor: FloatProperty(
        name="Factor",
        default=2.0,
        min=1.0,
        max=4.0,
        description="How many times as wide and as high the picture becomes",
    )

    def execute(self, context: Any) -> set[str]:
        return self.paint(lambda: _enlarge(context, self.image, self.factor))


class UNDERPAINT_OT_compare(_OnImage, bpy.types.Operator):
    """Show the picture as it was before it was repainted, and after"""

    bl_idname = "underpaint.compare"
    bl_label = "Before, After"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        return self.act(context, lambda image: marks.show((image,), marks.other_side(image)))


class UNDERPAINT_OT_send(_OnImage, bpy.types.Operator):
    """Put the picture into the scene"""

    bl_idname = "underpaint.send"
    bl_label = "Send to the Scene"

    to: EnumProperty(
        name="As",
        items=_TO,
        default="REFERENCE",
        description="As what it is put into the scene; new objects stand at the 3D cursor",
    )

    def execute(self, context: Any) -> set[str]:
        return self.act(
            context, lambda image: _SEND[self.to](context, marks.original_of(image) or image)
        )


CLASSES = (
    UNDERPAINT_OT_marks_begin,
    UNDERPAINT_OT_marks_box,
    UNDERPAINT_OT_marks_clear,
    UNDERPAINT_OT_repaint_here,
    UNDERPAINT_OT_enlarge,
    UNDERPAINT_OT_compare,
    UNDERPAINT_OT_send,
)


def _marks(image: Any) -> Any:
    """The image's marks: itself, if it is some; those that it has, or new ones, in its place."""
    if marks.original_of(image) is not None:
        return image
    found = marks.of(image) or marks.begin(image)
    marks.show((image,), found)
    return found


def _paint_on(context: Any, image: Any) -> None:
    space = context.space_data
    if space is not None and space.type == "IMAGE_EDITOR" and space.image == image:
        space.ui_mode = "PAINT"


def _box_on(image: Any, box: tuple[float, ...]) -> None:
    left, bottom, right, top = box
    pixels = tinted(marks.read(marks.of(image) or image), (left, bottom, right, top))
    marks.write(_marks(image), pixels)


def _clear(image: Any) -> None:
    original = marks.original_of(image)
    if original is not None:
        marks.show((image,), original)
        bpy.data.images.remove(image)


def _submit(context: Any, name: str) -> Task:
    image = marks.need_image(context, name)
    original = marks.original_of(image) or image
    group = context.scene.underpaint
    choose_seed(group)
    settings, buffers = edit_settings(original, group), Buffers()
    mask = buffers.add(Kind.MASK, marked(marks.read(original), marks.read(image)))
    picture = buffers.add(Kind.COLOR, color_of(original))
    side = runtime.native_side(settings.model)
    request = repaint_request(settings, picture, mask, group.repaint_strength, side)
    request = _with_form(request, original, buffers)
    live = runtime.live()
    task = live.session.submit(
        request, buffers, scene=context.scene.name, folder=results.results_folder()
    )
    live.marked[task.id] = image.name
    return task


def _enlarge(context: Any, name: str, factor: float) -> Task:
    image, buffers = marks.need_image(context, name), Buffers()
    group = context.scene.underpaint
    choose_seed(group)
    picture = buffers.add(Kind.COLOR, color_of(marks.original_of(image) or image))
    request = enlarge_request(edit_settings(image, group), picture, round(factor, 6))
    live = runtime.live()
    task = live.session.submit(
        request, buffers, scene=context.scene.name, folder=results.results_folder()
    )
    live.marked[task.id] = image.name
    return task


def _with_form(request: InpaintRequest, original: Any, buffers: Buffers) -> InpaintRequest:
    """Following the view that the original was painted over, where its arrays lie beside it."""
    try:
        made_by = results.request_of(original)
        folder = Path(bpy.path.abspath(original.filepath)).parent
        kept = load_inputs(folder, made_by)
    except UnderpaintError:
        return request  # a picture from elsewhere: painted by words alone
    view = made_by.view if isinstance(made_by, ImageRequest | InpaintRequest) else None
    return over_view(request, view, kept, buffers)
