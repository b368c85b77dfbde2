"""The preview over the viewport while it is painted, where the picture will be. GUI only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import gpu
import numpy as np
import numpy.typing as npt

from underpaint.cameras import Camera
from underpaint.following.leaving import painted_view

from ..capture import main_region
from ..link.task import Task
from ..plain.srgb import linear
from . import live_view
from .drawing import draw_picture

_CORNER_PX = 256
_TEXTURE_PX = 256
_MARGIN_PX = 16
_SAME_VIEW = 1e-4
_LIVE_KEY = "live"
# The viewport's framebuffer turns linear colours into sRGB; this by byte.
_LINEAR = linear(np.linspace(0, 1, 256, dtype=np.float32))


@dataclass(slots=True)
class _Shown:
    """What the draw handler draws. `texture` holds GPU memory: dropped when not in use."""

    handler: Any = None
    texture: Any = None
    key: tuple[str, int] = ("", -1)
    camera: Camera | None = None


_SHOWN: list[_Shown] = []


def register() -> None:
    """Add the draw handler; background mode has no viewport to draw in."""
    if bpy.app.background or _SHOWN:
        return
    shown = _Shown()
    shown.handler = bpy.types.SpaceView3D.draw_handler_add(_draw, (shown,), "WINDOW", "POST_PIXEL")
    _SHOWN.append(shown)


def unregister() -> None:
    """Remove the handler and free the texture."""
    while _SHOWN:
        shown = _SHOWN.pop()
        shown.texture = None
        bpy.types.SpaceView3D.draw_handler_remove(shown.handler, "WINDOW")


def update(task: Task | None) -> None:
    """Take the newest preview, or none."""
    for shown in _SHOWN:
        if (state := live_view.now()) is not None and state.picture is not None:
            _take_live(shown, state)
        elif (
            task is None or task.preview is None or (painted := painted_view(task.request)) is None
        ):
            shown.texture, shown.key = None, ("", -1)
        elif shown.key != (task.id, task.previews_seen):
            shown.texture = texture_of(task.preview)
            shown.key = (task.id, task.previews_seen)
            shown.camera = painted.view.camera if painted.view else None


def _take_live(shown: _Shown, state: live_view.Live) -> None:
    if shown.key != (_LIVE_KEY, state.pictures):
        shown.texture = texture_of(state.picture)
        shown.key = (_LIVE_KEY, state.pictures)
        shown.camera = state.camera


def texture_of(image: npt.NDArray[np.uint8]) -> Any:
    """A preview, (h, w, 3) uint8 sRGB, as a GPU texture in linear light; large ones thinned out."""
    every = -(-max(image.shape[:2]) // _TEXTURE_PX)  # an upload must fit into a tick
    image = image[::every, ::every]
    height, width = image.shape[:2]
    opaque = np.full((height, width, 4), 255, np.uint8)
    opaque[..., :3] = image[::-1]
    pixels = _LINEAR.take(opaque, mode="clip")
    buffer = gpu.types.Buffer("FLOAT", pixels.size, pixels.ravel())
    return gpu.types.GPUTexture((width, height), format="RGBA16F", data=buffer)


def _draw(shown: _Shown) -> None:
    context = bpy.context
    settings = context.scene.underpaint
    is_live = shown.key[0] == _LIVE_KEY
    if shown.texture is None or not (is_live or settings.show_preview):
        return
    is_main = context.region == main_region(context.area)
    if is_live and not (is_main and live_view.is_here(context.area)):
        return  # it belongs to the viewport that it was painted for
    frame = _frame(context, shown.camera)
    if is_live and frame is not None:
        draw_picture(shown.texture, frame, settings.live_opacity, settings.live_wipe)
    elif frame is not None or is_main:
        draw_picture(shown.texture, frame or _corner(context, shown.texture))


def _frame(context: Any, camera: Camera | None) -> tuple[float, float, float, float] | None:
    """Where the captured frame lies in this region: x, y, width, height in pixels. None when the
    view has moved since, so that a picture never sits over the wrong place."""
    view = context.region_data
    if camera is None or view is None:
        return None
    wanted = camera.view_matrix
    present = np.array([tuple(row) for row in view.view_matrix], dtype=np.float64)
    if np.abs(present - wanted).max() > _SAME_VIEW * max(1.0, np.abs(wanted).max()):
        return None
    # A point in the captured picture's corner, in this region's clip space: both share the view.
    window = np.array([tuple(row) for row in view.window_matrix], dtype=np.float64)
    to_region = window @ np.linalg.inv(camera.projection_matrix)
    corners = np.array([[-1, -1, 0, 1], [1, 1, 0, 1]], dtype=np.float64) @ to_region.T
    ndc = corners[:, :2] / corners[:, 3:4]
    size = np.array([context.region.width, context.region.height])
    low, high = (ndc * 0.5 + 0.5) * size
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def _corner(context: Any, texture: Any) -> tuple[float, float, float, float]:
    """The lower right one of what the sidebar leaves free."""
    scale = _CORNER_PX / max(texture.width, texture.height)
    width, height = texture.width * scale, texture.height * scale
    return max(0.0, _free_width(context) - width - _MARGIN_PX), _MARGIN_PX, width, height


def _free_width(context: Any) -> float:
    """Pixels of the region from its left to the sidebar, which lies over it where it is open."""
    region = context.region
    right = float(region.x + region.width)
    for other in context.area.regions:
        if other.type == "UI" and other.width > 1 and other.alignment == "RIGHT":
            right = min(right, other.x)
    return right - region.x
