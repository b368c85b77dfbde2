"""The colour buffer: the viewport's own picture, or a plain shading of our geometry passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import gpu
import numpy as np
import numpy.typing as npt

from underpaint.cameras import Camera

from ..plain.srgb import srgb
from ..working_space import to_rec709
from .sources import Viewport
from .surfaces import Passes

Image8 = npt.NDArray[np.uint8]
_DRAWN_BY_BLENDER = ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH")


def viewport_color(context: Any, camera: Camera, viewport: Viewport | None) -> Image8 | None:
    """The 3D viewport's picture from `camera`, (h, w, 3) uint8 sRGB, without overlays.

    Uses the given viewport's shading, else that of the first 3D viewport found; in the
    background always solid shading with material colours, since EEVEE without a GPU takes
    minutes. None when there is no 3D viewport. Needs a GPU context.
    """
    chosen = viewport or _any_viewport(context)
    if chosen is None:
        return None
    offscreen = gpu.types.GPUOffScreen(camera.width, camera.height)
    try:
        with _undisturbed(chosen.space, context.scene.render.engine):
            offscreen.draw_view3d(
                context.scene,
                context.view_layer,
                chosen.space,
                chosen.region,
                _matrix(camera.world_to_camera),
                _matrix(camera.projection),
                do_color_management=True,
            )
        return _read(offscreen, camera.width, camera.height)
    finally:
        offscreen.free()


def shaded(passes: Passes) -> Image8:
    """Material colours under a light at the camera, (h, w, 3) uint8 sRGB, grey background."""
    facing = 0.25 + 0.75 * passes.normal[..., 2:].clip(0, 1)
    light = np.where(passes.object_id[..., None] > 0, passes.color * facing, np.float32(0.05))
    return np.round(srgb(light @ to_rec709().T) * 255).astype(np.uint8)


def _any_viewport(context: Any) -> Viewport | None:
    window = getattr(context, "window", None)
    screens = ([window.screen] if window else []) + list(bpy.data.screens)
    areas = (area for screen in screens for area in screen.areas if area.type == "VIEW_3D")
    area = next(areas, None)
    return None if area is None else Viewport.of_area(area)


@contextmanager
def _undisturbed(space: Any, engine: str) -> Iterator[None]:
    """Overlays and gizmos off for a while: overlays would draw grid and outlines into the
    picture. Everything is put back as it was."""
    changes: list[tuple[Any, str, Any]] = [
        (space.overlay, "show_overlays", False),
        (space, "show_gizmo", False),
    ]
    if bpy.app.background:
        changes += [(space.shading, "type", "SOLID"), (space.shading, "color_type", "MATERIAL")]
    elif space.shading.type == "RENDERED" and engine not in _DRAWN_BY_BLENDER:
        # Offscreen drawing cannot wait for a path tracer's samples.
        changes.append((space.shading, "type", "MATERIAL"))
    before = [(owner, name, getattr(owner, name)) for owner, name, _value in changes]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _matrix(values: tuple[float, ...]) -> Any:
    from mathutils import Matrix

    return Matrix([values[i : i + 4] for i in range(0, 16, 4)])


def _read(offscreen: Any, width: int, height: int) -> Image8:
    out = np.empty((height, width, 4), np.uint8)
    target = gpu.types.Buffer("UBYTE", (height, width, 4), out)
    with offscreen.bind():
        gpu.state.active_framebuffer_get().read_color(
            0, 0, width, height, 4, 0, "UBYTE", data=target
        )
    return np.ascontiguousarray(out[::-1, :, :3])
