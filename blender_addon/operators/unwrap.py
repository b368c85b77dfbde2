"""Give objects that have no UV map one; those that have one are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import bpy
import numpy as np

from underpaint.errors import UnderpaintError

from ..languages import say
from ..texture.scene_surfaces import paintable, without_uv
from .failing import allowed, refuse
from .modes import enter

_FLAGS = ("hide", "select")
_PARTS = ("vertices", "edges", "polygons")
_MARGIN = 0.01


class UNDERPAINT_OT_unwrap(bpy.types.Operator):
    """Make a UV map for the selected objects that have none. UV maps that are there stay"""

    bl_idname = "underpaint.unwrap"
    bl_label = "Unwrap"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return allowed(cls, _bare(context), "Select a mesh that has faces and no UV map")

    def execute(self, context: Any) -> set[str]:
        mode = context.mode
        try:
            enter(context, "OBJECT")
            bare = _bare(context)
            with _selection_kept(context):
                for item in {item.data: item for item in bare}.values():
                    _unwrap(context, item)
            enter(context, "EDIT" if mode == "EDIT_MESH" else "OBJECT")
        except UnderpaintError as error:
            return refuse(self, error)
        names = ", ".join(item.name for item in bare)
        self.report({"INFO"}, say("unwrapped {names}", names=names))
        return {"FINISHED"}


def _bare(context: Any) -> list[Any]:
    """What can be unwrapped; a mesh without faces cannot."""
    return [item for item in without_uv(paintable(context)) if len(item.data.polygons)]


def _unwrap(context: Any, item: Any) -> None:
    """Smart UV Project of every face, whatever is selected or hidden; both are as before after."""
    mesh = item.data
    before = {(part, flag): _flags(mesh, part, flag) for part in _PARTS for flag in _FLAGS}
    for part in _PARTS:
        count = len(getattr(mesh, part))
        getattr(mesh, part).foreach_set("hide", np.zeros(count, bool))
        getattr(mesh, part).foreach_set("select", np.ones(count, bool))
    for other in context.view_layer.objects:
        other.select_set(other == item)  # Edit Mode takes all that are selected
    context.view_layer.objects.active = item
    enter(context, "EDIT")
    bpy.ops.uv.smart_project(island_margin=_MARGIN)
    enter(context, "OBJECT")
    for (part, flag), values in before.items():
        getattr(mesh, part).foreach_set(flag, values)


@contextmanager
def _selection_kept(context: Any) -> Iterator[None]:
    objects = context.view_layer.objects
    chosen, active = [item for item in objects if item.select_get()], objects.active
    try:
        yield
    finally:
        for item in objects:
            item.select_set(item in chosen)
        objects.active = active


def _flags(mesh: Any, part: str, flag: str) -> Any:
    items = getattr(mesh, part)
    values = np.empty(len(items), bool)
    items.foreach_get(flag, values)
    return values
