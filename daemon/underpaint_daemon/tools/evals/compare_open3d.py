"""The same inputs through Open3D's `project_images_to_albedo` (the extra `compare`, optional)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.cameras import Camera
from underpaint_daemon.worker.texturing.surface.mesh import Mesh

Array = npt.NDArray[Any]
INSTALL = (
    "install it into the daemon's environment: pip install 'underpaint[compare]', and on Debian "
    "and Ubuntu: apt install libusb-1.0-0 libgl1 libgomp1"
)
_CAMERA_TO_CV = np.diag([1.0, -1.0, -1.0, 1.0])  # Open3D looks down +Z with +Y down


def available() -> bool:
    """Whether Open3D is installed."""
    return importlib.util.find_spec("open3d") is not None


def project_with_open3d(
    mesh: Mesh, cameras: Sequence[Camera], pictures: Sequence[Array], size: int
) -> Array:
    """Its texture (size, size, 3) float32 0..1, row 0 the top, of pictures (h, w, 3) 0..1."""
    import open3d as o3d

    surface = o3d.t.geometry.TriangleMesh(
        o3d.core.Tensor(mesh.position.cpu().numpy()),
        o3d.core.Tensor(mesh.faces.cpu().numpy().astype(np.int64)),
    )
    uv = mesh.uv.cpu().numpy().reshape(-1, 3, 2).copy()
    surface.triangle.texture_uvs = o3d.core.Tensor(uv)
    surface.material.set_default_properties()
    images = [
        o3d.t.geometry.Image(o3d.core.Tensor((np.clip(p, 0, 1) * 255).round().astype(np.uint8)))
        for p in pictures
    ]
    albedo = surface.project_images_to_albedo(
        images,
        [o3d.core.Tensor(_intrinsics(camera)) for camera in cameras],
        [o3d.core.Tensor(_CAMERA_TO_CV @ camera.view_matrix) for camera in cameras],
        size,
        False,
    )
    return np.asarray(albedo.as_tensor().numpy()[..., :3], np.float32) / 255


def _intrinsics(camera: Camera) -> Array:
    """(3, 3) in pixels; Open3D puts pixel centres at whole numbers."""
    p = camera.projection_matrix
    half_width, half_height = camera.width / 2, camera.height / 2
    return np.array(
        [
            [p[0, 0] * half_width, 0, half_width - p[0, 2] * half_width - 0.5],
            [0, p[1, 1] * half_height, half_height + p[1, 2] * half_height - 0.5],
            [0, 0, 1],
        ]
    )
