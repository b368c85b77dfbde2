"""The unfinished texture on the object while it is painted. GUI only.

Drawn over the viewport, on the surface's own triangles: nothing in the file changes before the
texture is done, so cancelling leaves nothing, and undo knows nothing of it.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import bpy
import gpu
import numpy as np
import numpy.typing as npt
from gpu_extras.batch import batch_for_shader

from underpaint.requests import TextureRequest

from ..link import runtime
from ..link.task import Task
from ..plain.udim import FIRST_TILE, cells, tile_numbers
from .overlay import texture_of

_VERTEX = """
void main() {
  light = 0.45 + 0.55 * abs((viewMatrix * vec4(normal, 0.0)).z);
  place = uv;
  vec4 at = viewMatrix * vec4(position, 1.0);
  at.xyz *= 0.9985;
  gl_Position = projection * at;
}
"""
_FRAGMENT = """
void main() {
  vec4 paint = texture(image, fract(place));
  colour = vec4(paint.rgb * light, 1.0);
}
"""


Part = dict[str, npt.NDArray[np.float32]]
"""Corners of one UDIM tile: `position`, `normal` (n, 3), `uv` (n, 2)."""


@dataclass(slots=True)
class _Growing:
    """What the draw handler draws: a batch and a texture for each UDIM number. `parts`: what is
    still to become batches, one a tick."""

    handler: Any = None
    shader: Any = None
    job: str = ""
    seen: int = -1
    parts: Future[dict[int, Part]] | None = None
    batches: dict[int, Any] = field(default_factory=dict)
    textures: dict[int, Any] = field(default_factory=dict)


_GROWING: list[_Growing] = []


def register() -> None:
    """Add the draw handler; background mode has no viewport to draw in."""
    if bpy.app.background or _GROWING:
        return
    growing = _Growing()
    growing.handler = bpy.types.SpaceView3D.draw_handler_add(
        _draw, (growing,), "WINDOW", "POST_VIEW"
    )
    _GROWING.append(growing)


def unregister() -> None:
    """Remove the handler and free what it drew."""
    while _GROWING:
        growing = _GROWING.pop()
        bpy.types.SpaceView3D.draw_handler_remove(growing.handler, "WINDOW")


def update(task: Task | None) -> None:
    """Take the newest previews of a texture, or let go."""
    for growing in _GROWING:
        if task is None or not isinstance(task.request, TextureRequest) or not task.tiles:
            growing.job, growing.seen = "", -1
            growing.batches, growing.textures, growing.parts = {}, {}, None
        elif growing.job != task.id:
            growing.job, growing.seen = task.id, -1
            growing.shader = growing.shader or _shader()
            growing.batches = {}
            growing.parts = runtime.live().background.submit(_parts, task)
        elif growing.parts is not None:
            _take_parts(growing, growing.parts)
        elif growing.seen != task.previews_seen:
            growing.seen = task.previews_seen
            growing.textures = {n: texture_of(image) for n, image in task.tiles.items()}


def drawn() -> list[tuple[str, int]]:
    """The job and the preview that are drawn, to see whether viewports must be drawn anew."""
    return [(growing.job, growing.seen) for growing in _GROWING]


def _take_parts(growing: _Growing, coming: Future[dict[int, Part]]) -> None:
    """One of them to the graphics card, once the thread has sorted them."""
    if not coming.done():
        return
    parts = coming.result()
    if not parts:
        growing.parts = None
        return
    number, content = parts.popitem()
    growing.batches[number] = batch_for_shader(growing.shader, "TRIS", content)


def _parts(task: Task) -> dict[int, Part]:
    """The mesh's triangles by UDIM number, as the job was given them. Runs in a thread."""
    assert isinstance(task.request, TextureRequest)
    if task.buffers is None:
        return {}
    mesh = task.request.mesh
    position, normal, uv = (
        task.buffers[ref.sha256] for ref in (mesh.position, mesh.normal, mesh.uv)
    )
    tile = tile_numbers(cells(uv)).repeat(3)
    whole = {"position": position, "normal": normal, "uv": uv}
    return {
        int(number): {name: array[tile == number] for name, array in whole.items()}
        for number in np.unique(tile)
    }


def _shader() -> Any:
    between = gpu.types.GPUStageInterfaceInfo("underpaint_growing")
    between.smooth("VEC2", "place")
    between.smooth("FLOAT", "light")
    info = gpu.types.GPUShaderCreateInfo()
    info.push_constant("MAT4", "viewMatrix")
    info.push_constant("MAT4", "projection")
    info.sampler(0, "FLOAT_2D", "image")
    for slot, (kind, name) in enumerate((("VEC3", "position"), ("VEC3", "normal"), ("VEC2", "uv"))):
        info.vertex_in(slot, kind, name)
    info.vertex_out(between)
    info.fragment_out(0, "VEC4", "colour")
    info.vertex_source(_VERTEX)
    info.fragment_source(_FRAGMENT)
    return gpu.shader.create_from_info(info)


def _draw(growing: _Growing) -> None:
    context = bpy.context
    if not growing.textures or not context.scene.underpaint_texture.stream:
        return
    view = context.region_data
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    try:
        growing.shader.bind()
        growing.shader.uniform_float("viewMatrix", view.view_matrix)
        growing.shader.uniform_float("projection", view.window_matrix)
        for number, batch in growing.batches.items():
            picture = growing.textures.get(number) or growing.textures.get(FIRST_TILE)
            if picture is not None:
                growing.shader.uniform_sampler("image", picture)
                batch.draw(growing.shader)
    finally:
        gpu.state.depth_test_set("NONE")
        gpu.state.depth_mask_set(False)
