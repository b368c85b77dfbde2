"""Annotations drawn in the 3D view, as lines of the picture. No bpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.cameras import Camera, project

from ..capture import Viewport

Points = npt.NDArray[np.float64]


def strokes(scene: Any, camera: Camera, viewport: Viewport | None) -> list[Points]:
    """Each stroke of the scene's annotations, (N, 2) pixels as (x, y), in front of the camera.
    `viewport`: what is seen, for strokes that lie on the screen; a camera sees none of those."""
    found = []
    for stroke in _shown(scene):
        points = np.empty(len(stroke.points) * 3, np.float64)
        stroke.points.foreach_get("co", points)
        points = points.reshape(-1, 3)
        if getattr(stroke, "display_mode", "3DSPACE") != "SCREEN":
            pixels, depth = project(camera, points)
            found += _in_front(pixels, depth)
        elif viewport is not None:
            found.append(_on_screen(points, camera, viewport))
    return [points for points in found if len(points)]


def is_annotated(scene: Any) -> bool:
    """Whether the scene has strokes, in whatever frame and wherever."""
    notes = _notes(scene)
    layers = () if notes is None else notes.layers
    return any(len(frame.strokes) for layer in layers for frame in layer.frames)


def _shown(scene: Any) -> Iterator[Any]:
    notes = _notes(scene)
    for layer in () if notes is None else notes.layers:
        frame = None if layer.annotation_hide else _frame_at(layer, scene.frame_current)
        if frame is not None:
            yield from frame.strokes


def _notes(scene: Any) -> Any:
    """Blender 5.0 calls the scene's annotations so; before, they were its grease pencil."""
    return getattr(scene, "annotation" if hasattr(scene, "annotation") else "grease_pencil")


def _frame_at(layer: Any, now: int) -> Any:
    """The drawing that a layer shows at a frame of the scene. Its `active_frame` is that of the
    last redraw, which there is none of without a window."""
    if layer.lock_frame:
        return layer.active_frame
    before = [frame for frame in layer.frames if frame.frame_number <= now]
    return max(before, key=lambda frame: frame.frame_number, default=None)


def _in_front(pixels: Points, depth: Points) -> Iterator[Points]:
    """The parts of a line that lie before the camera."""
    seen = depth > 0
    borders = np.flatnonzero(np.diff(seen)) + 1
    for part, is_seen in zip(np.split(pixels, borders), np.split(seen, borders), strict=True):
        if is_seen.all():
            yield part


def _on_screen(points: Points, camera: Camera, viewport: Viewport) -> Points:
    """From parts of the region, in hundredths, to the picture: the largest of its shape about the
    region's middle, as the view is captured."""
    size = np.array([viewport.region.width, viewport.region.height], np.float64)
    shape = np.array([camera.width, camera.height], np.float64)
    scale = (shape / size).max()
    pixels = (points[:, :2] / 100 - 0.5) * size * scale
    return np.stack([shape[0] / 2 + pixels[:, 0], shape[1] / 2 - pixels[:, 1]], axis=1)
