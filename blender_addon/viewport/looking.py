"""Look from where a picture was painted."""

from __future__ import annotations

from typing import Any

import numpy as np
from mathutils import Matrix

from underpaint.cameras import Camera
from underpaint.errors import ErrorCode, RequestError

from ..capture import main_region


def look_through(context: Any, camera: Camera) -> None:
    """Turn the 3D viewport so that it shows at least what `camera` saw.

    Raises RequestError(CAPTURE_FAILED) when no 3D viewport is open.
    """
    space, region = _viewport(context)
    view = space.region_3d
    view.view_perspective = "ORTHO" if camera.orthographic else "PERSP"
    view.view_matrix = Matrix(np.asarray(camera.view_matrix).tolist())
    wanted = np.abs(np.diag(np.asarray(camera.projection_matrix))[:2])
    view.update()
    shown = np.abs(np.diag(np.array([tuple(row) for row in view.window_matrix]))[:2])
    factor = float((wanted / shown).min())
    if camera.orthographic:
        view.view_distance /= factor
        view.view_matrix = Matrix(np.asarray(camera.view_matrix).tolist())
    else:
        space.lens = float(np.clip(space.lens * factor, 1.0, 250.0))
    view.update()
    region.tag_redraw()


def _viewport(context: Any) -> tuple[Any, Any]:
    areas = [] if context.area is None else [context.area]
    for window in context.window_manager.windows:
        areas += window.screen.areas
    for area in areas:
        if area.type == "VIEW_3D":
            return area.spaces.active, main_region(area)
    raise RequestError(
        ErrorCode.CAPTURE_FAILED,
        "no 3D viewport is open to show the view",
        hint="Open a 3D viewport, then try again.",
    )
