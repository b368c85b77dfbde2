"""Look from the chosen views, and show what none of them sees."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from collections.abc import Generator
from functools import partial
from typing import Any, ClassVar

import bpy

from underpaint.buffers import Buffers
from underpaint.errors import ErrorCode, RequestError, UnderpaintError

from .. import pump
from ..link import runtime
from ..link.work import Work
from ..operators.failing import refuse
from ..texture.job import captured_views
from ..texture.scene_mesh import read_objects
from ..texture.scene_surfaces import paintable
from . import shown
from .preview import Looking, Preview, preview

_SIDE = 320


class UNDERPAINT_OT_coverage(bpy.types.Operator):
    """Preview what will be painted"""

    bl_idname = "underpaint.coverage"
    bl_label = "Preview Coverage"
    bl_description = (
        "Show on the objects what the chosen views will see: red where none does, yellow where "
        "they see it aslant. Press again to hide it"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return context.scene is not None

    def execute(self, context: Any) -> set[str]:
        live = runtime.live()
        if shown.current(context) is not None:
            shown.show(None)
            pump.redraw()
            return {"FINISHED"}
        live.error = None
        looking = Looking()
        try:
            make = _made(context, looking)
            if bpy.app.background:
                shown.show(make())
                return {"FINISHED"}
        except UnderpaintError as error:
            return refuse(self, error)
        shown.state().looking = looking
        live.works.append(Work(_later(live, make, looking)))
        pump.start()
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_coverage,)


def _made(context: Any, looking: Looking) -> Any:
    """What makes the preview, in any thread; what only Blender knows is read here.

    Raises RequestError: nothing is selected, no camera …
    """
    objects = paintable(context)
    if not objects:
        raise RequestError(
            ErrorCode.BAD_MESH, "no mesh is selected", hint="Select the objects to paint."
        )
    for item in objects:
        item.update_from_editmode()
    read = read_objects(objects, context.evaluated_depsgraph_get())
    settings, buffers = context.scene.underpaint_texture, Buffers()
    for view in captured_views(context, settings.views, _SIDE, buffers):
        looking.views.append((view.camera, buffers[view.depth.sha256]))
    return partial(preview, read, settings.view_count, shown.key_of(context), looking)


def _later(live: runtime.Runtime, make: Any, looking: Looking) -> Generator[float, None, None]:
    """In a thread, so that the window does not wait for it."""
    try:
        future = live.background.submit(make)
        while not future.done():
            yield looking.fraction
        found: Preview = future.result()
        shown.show(found)
    except UnderpaintError as error:
        live.error = error  # for the panel: the operator has ended
    finally:
        shown.state().looking = None
    pump.redraw()
