"""Where a view is taken from: a scene camera, a 3D viewport, or given matrices.

All three become one `underpaint.cameras.Camera`, with lens shift, sensor fit, pixel aspect and
the target's own aspect in the projection matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeAlias

import bpy
import numpy as np

from underpaint.cameras import Camera
from underpaint.errors import ErrorCode, RequestError

from .surfaces import Matrix4


@dataclass(frozen=True, slots=True)
class Viewport:
    """A 3D viewport: its space (`SpaceView3D`), window region and the space's `RegionView3D`."""

    space: Any
    region: Any
    region_3d: Any

    @classmethod
    def of_area(cls, area: Any) -> Viewport:
        """The viewport of a VIEW_3D area. Raises RequestError(CAPTURE_FAILED) for others."""
        if area is None or area.type != "VIEW_3D":
            raise RequestError(
                ErrorCode.CAPTURE_FAILED,
                "the area is not a 3D viewport",
                hint="Press the button in a 3D viewport's sidebar, or choose cameras.",
            )
        space = area.spaces.active
        return cls(space, main_region(area), space.region_3d)


def main_region(area: Any) -> Any:
    """The window region that a VIEW_3D space's `region_3d` belongs to: of Quad View's four the
    last, which is the one that can be turned."""
    return [region for region in area.regions if region.type == "WINDOW"][-1]


Source: TypeAlias = "bpy.types.Object | Viewport | Camera | None"
"""A camera object, a viewport, explicit matrices; None = the scene's active camera."""


def resolve(source: Source, depsgraph: Any, width: int, height: int) -> Camera:
    """The exact camera of a source for an image of width × height pixels.

    A viewport that looks through a camera gives that camera; any other viewport gives the
    largest width:height rectangle around the viewport's centre. Raises
    RequestError(CAPTURE_FAILED) when there is no camera, or it is not a pinhole or
    orthographic one.
    """
    if isinstance(source, Camera):
        return replace(source, width=width, height=height)
    if isinstance(source, Viewport):
        through = _looks_through(source, depsgraph)
        if through is None:
            return _of_viewport(source, width, height)
        return _of_object(through, depsgraph, width, height)
    camera = depsgraph.scene.camera if source is None else source
    return _of_object(camera, depsgraph, width, height)


def _looks_through(viewport: Viewport, depsgraph: Any) -> Any:
    if viewport.region_3d.view_perspective != "CAMERA":
        return None
    own = viewport.space.camera if viewport.space.use_local_camera else None
    return own or depsgraph.scene.camera


def _of_object(camera: Any, depsgraph: Any, width: int, height: int) -> Camera:
    if camera is None:
        _refuse("the scene has no active camera", "Add a camera, or capture from the viewport.")
    if camera.type != "CAMERA":
        _refuse(f"{camera.name!r} is a {camera.type.lower()}, not a camera", "Choose a camera.")
    evaluated = camera.evaluated_get(depsgraph)
    if not evaluated.is_evaluated and camera not in list(depsgraph.scene.objects):
        _refuse(
            f"camera {camera.name!r} is not in scene {depsgraph.scene.name!r}",
            "Open the scene that it is in, or choose another camera.",
        )
    if evaluated.data.type not in ("PERSP", "ORTHO"):
        _refuse(
            f"camera {camera.name!r} is {evaluated.data.type.lower()}",
            "Only perspective and orthographic cameras have a depth along one axis; change it.",
        )
    render = depsgraph.scene.render
    projection = evaluated.calc_matrix_camera(
        depsgraph,
        x=width,
        y=height,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    data = evaluated.data
    return _camera(
        np.asarray(np.linalg.inv(_without_scale(as_matrix(evaluated.matrix_world))), np.float64),
        as_matrix(projection),
        (width, height),
        (data.clip_start, data.clip_end),
    )


def _of_viewport(viewport: Viewport, width: int, height: int) -> Camera:
    region, space = viewport.region, viewport.space
    if not bpy.app.background:
        # The matrices are from the last redraw: a script may have turned the view since. Without
        # a window Blender crashes here, and has the file's matrices only.
        viewport.region_3d.update()
    projection = as_matrix(viewport.region_3d.window_matrix).copy()
    target, present = width / height, region.width / region.height
    # A row of the projection scales one axis about the centre: narrowing the frame is a product.
    if target < present:
        projection[0] *= present / target
    else:
        projection[1] *= target / present
    perspective = viewport.region_3d.is_perspective
    near = space.clip_start if perspective else -space.clip_end
    view = as_matrix(viewport.region_3d.view_matrix)
    return _camera(view, projection, (width, height), (near, space.clip_end))


def in_front(camera: Camera, nearest: float) -> Camera:
    """The same picture from far enough back that `nearest` (depth in metres) is in front of it.

    Orthographic viewports also show what lies behind their origin; depth has to be positive.
    Moving an orthographic camera along its axis changes nothing but its depths.
    """
    if not camera.orthographic or (camera.near > 0 and nearest > 0):
        return camera
    back = max(0.0, 0.1 - max(nearest, camera.near))
    view, projection = camera.view_matrix.copy(), camera.projection_matrix.copy()
    view[2, 3] -= back
    projection[2, 3] += projection[2, 2] * back
    near = max(camera.near + back, 1e-3)
    return _camera(view, projection, (camera.width, camera.height), (near, camera.far + back))


def as_matrix(matrix: Any) -> Matrix4:
    """A mathutils.Matrix as (4, 4) float64."""
    return np.array([tuple(row) for row in matrix], dtype=np.float64)


def _without_scale(matrix: Matrix4) -> Matrix4:
    """Unit axes, as Blender's own renderers do: the scale of a camera object has no effect."""
    out = matrix.copy()
    out[:3, :3] /= np.linalg.norm(out[:3, :3], axis=0)
    return out


def _camera(
    view: Matrix4, projection: Matrix4, size: tuple[int, int], clip: tuple[float, float]
) -> Camera:
    return Camera(
        tuple(float(v) for v in view.reshape(-1)),
        tuple(float(v) for v in projection.reshape(-1)),
        size[0],
        size[1],
        float(clip[0]),
        float(clip[1]),
    )


def _refuse(message: str, hint: str) -> NoReturn:
    raise RequestError(ErrorCode.CAPTURE_FAILED, message, hint=hint)
