"""Outpaint by dragging: a frame over the picture in the Image Editor; its edges are pulled out."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import blf
import bpy
import gpu
from bpy.props import IntProperty
from gpu_extras.batch import batch_for_shader

from underpaint.errors import UnderpaintError
from underpaint.pictures.outpaint import Sides

from ..languages import say
from ..operators.failing import refuse
from ..operators.painting import Paints
from . import marks
from .frame import Frame, Point, dragged, edges_at, taken
from .outpainting import submit_sides
from .picture import OfPicture

_REACH_PX = 12
_HANDLE_PX = 5
_LETTERS_PX = 13
_BAND = (1.0, 0.45, 0.1, 0.22)
_LINE = (1.0, 0.55, 0.15, 1.0)
_WORDS = (1.0, 1.0, 1.0, 1.0)
_DONE = ("RET", "NUMPAD_ENTER")
_LEFT = ("ESC", "RIGHTMOUSE")
_DRAWN: list[Any] = []
"""What is drawn while the edges are dragged."""
_CURSORS = {0: "DEFAULT", 1: "SCROLL_XY", 2: "SCROLL_XY"}


def _pixels() -> Any:
    return IntProperty(
        min=0, options={"HIDDEN", "SKIP_SAVE"}, description="Pixels to paint beyond this edge"
    )


class UNDERPAINT_OT_outpaint_frame(OfPicture, Paints, bpy.types.Operator):
    """Drag the picture's edges and corners to where it is to reach; Enter paints, Esc leaves it"""

    bl_idname = "underpaint.outpaint_frame"
    bl_label = "Drag the Frame"

    left: _pixels()
    top: _pixels()
    right: _pixels()
    bottom: _pixels()

    def invoke(self, context: Any, event: Any) -> set[str]:
        try:
            image = marks.need_image(context, self.image)
        except UnderpaintError as error:
            return refuse(self, error)
        image = marks.original_of(image) or image
        self.image, self.frame = image.name, Frame((image.size[0], image.size[1]))
        self.began: Point | None = None
        self.at = (float(event.mouse_x), float(event.mouse_y))
        self.address = context.area.as_pointer()
        _DRAWN.append(
            bpy.types.SpaceImageEditor.draw_handler_add(_draw, (self,), "WINDOW", "POST_PIXEL")
        )
        context.window_manager.modal_handler_add(self)
        self._tell()
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        gone = self._area() is None or self.image not in bpy.data.images
        if gone or event.type in _LEFT:
            self.cancel(context)
            return {"CANCELLED"}
        if event.type in _DONE and event.value == "PRESS" and self.frame.is_larger:
            added = self.frame.added
            self.left, self.top = added.left, added.top
            self.right, self.bottom = added.right, added.bottom
            self.cancel(context)
            return self.execute(context)
        if event.type == "MOUSEMOVE":
            self._move(context, event)
        elif event.type == "LEFTMOUSE":
            return self._hold(event)
        else:
            return {"PASS_THROUGH"}  # to look around: wheel, middle button, Home
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        name, sides = self.image, Sides(self.left, self.top, self.right, self.bottom)
        return self.paint_sized(context, lambda: submit_sides(context, name, sides), sized=False)

    def _move(self, context: Any, event: Any) -> None:
        self.at = (float(event.mouse_x), float(event.mouse_y))
        area = self._area()
        if self.began is None:
            context.window.cursor_modal_set(_CURSORS[len(self._near())])
            return
        here, before = _to_view(area, self.at), _to_view(area, self.began)
        self.frame = dragged(self.frame, (here[0] - before[0], here[1] - before[1]))
        self._tell()

    def _hold(self, event: Any) -> set[str]:
        near = self._near()
        if event.value == "PRESS" and not near:
            return {"PASS_THROUGH"}  # a click on another button
        self.began = self.at if event.value == "PRESS" else None
        self.frame = taken(self.frame, near if event.value == "PRESS" else ())
        return {"RUNNING_MODAL"}

    def _near(self) -> tuple[str, ...]:
        """The edges under the pointer."""
        region = _region(self._area())
        low, high = _on_screen(region, self.frame)
        at = (self.at[0] - region.x, self.at[1] - region.y)
        return edges_at(low, high, at, _REACH_PX * bpy.context.preferences.system.ui_scale)

    def _tell(self) -> None:
        area = self._area()
        area.header_text_set(told(self.frame))
        area.tag_redraw()

    def _area(self) -> Any:
        """The editor that it began in; None once that is closed."""
        areas = (a for w in bpy.context.window_manager.windows for a in w.screen.areas)
        return next((area for area in areas if area.as_pointer() == self.address), None)

    def cancel(self, context: Any) -> None:
        """Take the frame away; Blender calls this, too, when another file is opened."""
        unregister()
        if context.window is not None:
            context.window.cursor_modal_restore()
        area = self._area()
        if area is not None:
            area.header_text_set(None)
            area.tag_redraw()


def unregister() -> None:
    """Take a frame away that is drawn."""
    while _DRAWN:
        bpy.types.SpaceImageEditor.draw_handler_remove(_DRAWN.pop(), "WINDOW")


CLASSES = (UNDERPAINT_OT_outpaint_frame,)


def told(frame: Frame) -> str:
    """The sizes, and which keys do what, in words."""
    names = (("Left", "left"), ("Top", "top"), ("Right", "right"), ("Bottom", "bottom"))
    parts = [f"{say(n)} +{getattr(frame.added, key)}" for n, key in names]
    added = ", ".join(part for part in parts if not part.endswith("+0"))
    keys = "Enter: paint; Esc: leave it" if added else "Drag an edge or a corner; Esc: leave it"
    width, height = frame.whole
    return "   ".join(part for part in (f"{width} × {height} px", added, say(keys)) if part)


def _region(area: Any) -> Any:
    return next(region for region in area.regions if region.type == "WINDOW")


def _to_view(area: Any, at: Point) -> Point:
    """A place in the window as parts of the picture's sides."""
    region = _region(area)
    x, y = region.view2d.region_to_view(at[0] - region.x, at[1] - region.y)
    return float(x), float(y)


def _on_screen(region: Any, frame: Frame) -> tuple[Point, Point]:
    left, bottom, right, top = frame.corners
    to = region.view2d.view_to_region
    return to(left, bottom, clip=False), to(right, top, clip=False)


def _draw(operator: Any) -> None:
    """The bands that are added, the frame with its handles, and the size."""
    if bpy.context.area.as_pointer() != operator.address:
        return
    region, frame = bpy.context.region, operator.frame
    low, high = _on_screen(region, frame)
    inner_low, inner_high = _on_screen(region, Frame(frame.size))
    scale = bpy.context.preferences.system.ui_scale
    gpu.state.blend_set("ALPHA")
    _fill(_bands(low, high, inner_low, inner_high), _BAND)
    _frame_lines(low, high, max(1.0, scale) * 2)
    _fill(_handles(low, high, _HANDLE_PX * scale), _LINE)
    gpu.state.blend_set("NONE")
    width, height = frame.whole
    blf.size(0, _LETTERS_PX * scale)
    blf.color(0, *_WORDS)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 5, 0.0, 0.0, 0.0, 1.0)
    blf.position(0, low[0], high[1] + _HANDLE_PX * 2 * scale, 0)
    blf.draw(0, f"{width} × {height} px")
    blf.disable(0, blf.SHADOW)


def _bands(low: Point, high: Point, inner: Point, outer: Point) -> list[tuple[Point, Point]]:
    """What lies between the frame and the picture, as four rectangles."""
    return [
        (low, (inner[0], high[1])),
        ((outer[0], low[1]), high),
        ((inner[0], low[1]), (outer[0], inner[1])),
        ((inner[0], outer[1]), (outer[0], high[1])),
    ]


def _handles(low: Point, high: Point, half: float) -> list[tuple[Point, Point]]:
    """Little squares at the corners and in the middle of the edges."""
    xs, ys = (low[0], (low[0] + high[0]) / 2, high[0]), (low[1], (low[1] + high[1]) / 2, high[1])
    places = [(x, y) for i, x in enumerate(xs) for j, y in enumerate(ys) if (i, j) != (1, 1)]
    return [((x - half, y - half), (x + half, y + half)) for x, y in places]


def _fill(rectangles: list[tuple[Point, Point]], colour: tuple[float, ...]) -> None:
    points, indices = list[Point](), list[tuple[int, int, int]]()
    for (left, bottom), (right, top) in rectangles:
        first = len(points)
        points += [(left, bottom), (right, bottom), (right, top), (left, top)]
        indices += [(first, first + 1, first + 2), (first, first + 2, first + 3)]
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.uniform_float("color", colour)
    batch_for_shader(shader, "TRIS", {"pos": points}, indices=indices).draw(shader)


def _frame_lines(low: Point, high: Point, width: float) -> None:
    half = width / 2
    sides = (
        (low, (high[0], low[1])),
        ((low[0], high[1]), high),
        (low, (low[0], high[1])),
        ((high[0], low[1]), high),
    )
    _fill([((a[0] - half, a[1] - half), (b[0] + half, b[1] + half)) for a, b in sides], _LINE)
