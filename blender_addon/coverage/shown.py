"""The preview over the objects in the 3D viewport: nothing in the file changes for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from .preview import Key, Looking, Preview, colours

_CLOSER = 0.9985
_VERTEX = """
void main() {
  shade = colour;
  gl_Position = matrix * vec4(position, 1.0);
}
"""
_FRAGMENT = "void main() { shown = shade; }"


@dataclass(slots=True)
class _Shown:
    """`preview` is drawn while what it is of is as it was; `batch` holds GPU memory. `looking`: of
    the preview that is being made."""

    handler: Any = None
    preview: Preview | None = None
    looking: Looking | None = None
    batch: Any = None
    shader: Any = None


_SHOWN: list[_Shown] = []


def register() -> None:
    shown = _Shown()
    if not bpy.app.background:
        add = bpy.types.SpaceView3D.draw_handler_add
        shown.handler = add(_draw, (shown,), "WINDOW", "POST_VIEW")
    _SHOWN.append(shown)


def unregister() -> None:
    while _SHOWN:
        shown = _SHOWN.pop()
        shown.batch = shown.shader = None
        if shown.handler is not None:
            bpy.types.SpaceView3D.draw_handler_remove(shown.handler, "WINDOW")


def state() -> _Shown:
    """What is shown, and what is being made."""
    return _SHOWN[0]


def show(preview: Preview | None) -> None:
    """Show this one; None: none."""
    shown = state()
    shown.preview, shown.batch = preview, None


def current(context: Any) -> Preview | None:
    """The preview that is shown, while the objects and the choice of views are as they were."""
    preview = state().preview
    return preview if preview is not None and preview.key == key_of(context) else None


def key_of(context: Any) -> Key:
    """What a preview is of, and from where."""
    from ..texture.scene_surfaces import paintable

    settings = context.scene.underpaint_texture
    looked = (settings.views, settings.view_count if settings.views == "PLACED" else 0)
    cameras = [x for x in context.view_layer.objects if x.type == "CAMERA"]
    seen_by = cameras if settings.views == "CAMERAS" else []
    things = (*paintable(context), *seen_by)
    return (*looked, *((thing.session_uid, *_where(thing), _size(thing)) for thing in things))


def _where(thing: Any) -> tuple[float, ...]:
    return tuple(round(value, 5) for row in thing.matrix_world for value in row)


def _size(thing: Any) -> float:
    return len(thing.data.polygons) if thing.type == "MESH" else float(thing.data.lens)


def _draw(shown: _Shown) -> None:
    import gpu

    if current(bpy.context) is None:
        return
    if shown.batch is None:
        shown.shader, shown.batch = _made(shown.preview)
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("LESS_EQUAL")
    try:
        shown.shader.bind()
        shown.shader.uniform_float("matrix", _matrix())
        shown.batch.draw(shown.shader)
    finally:
        gpu.state.depth_test_set("NONE")
        gpu.state.blend_set("NONE")


def _matrix() -> Any:
    """From the world into the region, a little closer than what it lies on."""
    import gpu

    closer = _CLOSER if bpy.context.region_data.is_perspective else 1.0
    toward = Matrix.Diagonal((closer, closer, closer, 1.0))
    return gpu.matrix.get_projection_matrix() @ toward @ gpu.matrix.get_model_view_matrix()


def _made(preview: Any) -> tuple[Any, Any]:
    """The shader, and the triangles on the GPU."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    passed = gpu.types.GPUStageInterfaceInfo("underpaint_coverage")
    passed.smooth("VEC4", "shade")
    info = gpu.types.GPUShaderCreateInfo()
    info.push_constant("MAT4", "matrix")
    info.vertex_in(0, "VEC3", "position")
    info.vertex_in(1, "VEC4", "colour")
    info.vertex_out(passed)
    info.fragment_out(0, "VEC4", "shown")
    info.vertex_source(_VERTEX)
    info.fragment_source(_FRAGMENT)
    shader = gpu.shader.create_from_info(info)
    columns = {
        "position": np.ascontiguousarray(preview.corners.reshape(-1, 3)),
        "colour": np.repeat(colours(preview.cosine), 3, axis=0),
    }
    return shader, batch_for_shader(shader, "TRIS", columns)
