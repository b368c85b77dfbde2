"""Camera conventions, written once.

World: right-handed, metres, Z up (Blender's). Camera: right-handed, looks down -Z, +X right,
+Y up (OpenGL). Clip space: OpenGL, -w..w on all axes. Pixels: row 0 is the top row, column 0 the
left; the centre of pixel (row, column) is at (column + 0.5, row + 0.5). Depth is the distance
along the view axis (-z of camera space) in metres; background is +inf.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
Matrix = tuple[float, ...]
"""A 4×4 matrix as 16 floats, row by row."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole or orthographic camera with exact matrices.

    `world_to_camera` and `projection` are row-major 4×4 matrices acting on column vectors;
    `projection` maps camera space to OpenGL clip space and carries lens shift and aspect.
    `near` and `far` are clip distances in metres along the view axis.
    """

    world_to_camera: Matrix
    projection: Matrix
    width: int
    height: int
    near: float
    far: float

    @property
    def orthographic(self) -> bool:
        """True when clip-space w does not depend on depth."""
        return self.projection[14] == 0.0

    @property
    def view_matrix(self) -> Float64Array:
        """World to camera, (4, 4) float64."""
        return np.asarray(self.world_to_camera, dtype=np.float64).reshape(4, 4)

    @property
    def projection_matrix(self) -> Float64Array:
        """Camera to clip, (4, 4) float64."""
        return np.asarray(self.projection, dtype=np.float64).reshape(4, 4)

    @property
    def position(self) -> Float64Array:
        """The camera's centre in world space, (3,) float64, metres."""
        return np.linalg.inv(self.view_matrix)[:3, 3].astype(np.float64)


def project(camera: Camera, points: npt.ArrayLike) -> tuple[Float64Array, Float64Array]:
    """World points (N, 3) to pixels (N, 2) as (x, y) and view-axis depth (N,) in metres.

    Points behind a perspective camera get a negative depth; their pixels are meaningless.
    """
    world = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    in_camera = world @ camera.view_matrix[:3, :3].T + camera.view_matrix[:3, 3]
    clip = in_camera @ camera.projection_matrix[:, :3].T + camera.projection_matrix[:, 3]
    ndc = clip[:, :2] / clip[:, 3:4]
    x = (ndc[:, 0] * 0.5 + 0.5) * camera.width
    y = (0.5 - ndc[:, 1] * 0.5) * camera.height
    return np.stack([x, y], axis=1), -in_camera[:, 2]


def unproject(camera: Camera, depth: npt.ArrayLike) -> Float64Array:
    """World positions (h, w, 3) of a depth image (h, w) in metres; inf depth gives non-finite."""
    z = np.asarray(depth, dtype=np.float64)
    height, width = z.shape
    p = camera.projection_matrix
    ndc_x = (np.arange(width) + 0.5) / width * 2 - 1
    ndc_y = 1 - (np.arange(height) + 0.5) / height * 2
    w = np.ones_like(z) if camera.orthographic else z
    x = (ndc_x[None, :] * w - p[0, 3] + p[0, 2] * z) / p[0, 0]
    y = (ndc_y[:, None] * w - p[1, 3] + p[1, 2] * z) / p[1, 1]
    in_camera = np.stack([x, y, -z], axis=-1)
    to_world = np.linalg.inv(camera.view_matrix)
    world: Float64Array = in_camera @ to_world[:3, :3].T + to_world[:3, 3]
    return world


def perspective(
    width: int,
    height: int,
    vertical_fov: float,
    near: float,
    far: float,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Matrix:
    """An OpenGL perspective matrix. `vertical_fov` in radians; `shift` in NDC units (±1 = half)."""
    f = 1.0 / np.tan(vertical_fov / 2)
    a, b = -(far + near) / (far - near), -2 * far * near / (far - near)
    rows: list[list[float]] = [
        [f * height / width, 0, shift[0], 0],
        [0, f, shift[1], 0],
        [0, 0, a, b],
        [0, 0, -1, 0],
    ]
    return tuple(float(v) for row in rows for v in row)


def orthographic(width: int, height: int, scale: float, near: float, far: float) -> Matrix:
    """An OpenGL orthographic matrix; `scale` is the view's height in metres."""
    half_h = scale / 2
    half_w = half_h * width / height
    rows: list[list[float]] = [
        [1 / half_w, 0, 0, 0],
        [0, 1 / half_h, 0, 0],
        [0, 0, -2 / (far - near), -(far + near) / (far - near)],
        [0, 0, 0, 1],
    ]
    return tuple(float(v) for row in rows for v in row)


def look_at(eye: npt.ArrayLike, target: npt.ArrayLike, up: npt.ArrayLike = (0, 0, 1)) -> Matrix:
    """The world-to-camera matrix of a camera at `eye` that looks at `target` (world, metres).

    When the view direction is parallel to `up`, +Y of the world becomes the image's up.
    """
    eye_v, target_v = np.asarray(eye, np.float64), np.asarray(target, np.float64)
    back = (eye_v - target_v) / np.linalg.norm(eye_v - target_v)
    right = np.cross(np.asarray(up, np.float64), back)
    if np.linalg.norm(right) < 1e-6:
        right = np.cross(np.array([0.0, 1.0, 0.0]), back)
    right = right / np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(back, right), back])
    matrix[:3, 3] = -matrix[:3, :3] @ eye_v
    return tuple(float(v) for v in matrix.reshape(-1))
