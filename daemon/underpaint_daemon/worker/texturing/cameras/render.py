"""Geometry buffers of a mesh seen by a camera: rendered here, or from a host's capture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.cameras import Camera, unproject
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import View

from ..surface.mesh import Mesh
from ..surface.raster import Fragments, rasterize

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ViewBuffers:
    """What a camera sees of the surface, (h, w) = `size` pixels; zeros on the background.

    position (h, w, 3) float32 world metres. normal (h, w, 3) float32 world, unit. object_id
    (h, w) int32, 0 = background. depth (h, w) float32 metres along the view axis, +inf =
    background. mask (h, w) bool. uv (h, w, 2) float32 or None. triangle (h, w) int64 (-1 = none)
    or None: only rendered views know them. The camera's width and height are those of `size`.
    """

    camera: Camera
    position: Tensor
    normal: Tensor
    object_id: Tensor
    depth: Tensor
    mask: Tensor
    uv: Tensor | None = None
    triangle: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.mask.shape[0], self.mask.shape[1]


def resized(camera: Camera, size: tuple[int, int]) -> Camera:
    """The same camera with (height, width) pixels; the frame it sees does not change."""
    return Camera(
        camera.world_to_camera, camera.projection, size[1], size[0], camera.near, camera.far
    )


def clip_positions(points: Tensor, camera: Camera) -> Tensor:
    """World points (N, 3) to OpenGL clip space (N, 4) float64."""
    matrix = torch.from_numpy(camera.projection_matrix @ camera.view_matrix).to(points.device)
    return points.double() @ matrix[:, :3].T + matrix[:, 3]


def fragments_of(mesh: Mesh, camera: Camera, size: tuple[int, int] | None = None) -> Fragments:
    """Which triangle each pixel of a view sees; `size` (height, width) defaults to the camera's."""
    shape = size or (camera.height, camera.width)
    return rasterize(clip_positions(mesh.position, camera), mesh.faces, shape)


def render_view(mesh: Mesh, camera: Camera, size: tuple[int, int] | None = None) -> ViewBuffers:
    """Render geometry buffers of the mesh; `size` (height, width) defaults to the camera's."""
    shape = size or (camera.height, camera.width)
    fragments = fragments_of(mesh, camera, shape)
    hit = fragments.triangle >= 0
    triangle = fragments.triangle[hit]
    corners = mesh.faces[triangle]
    weights = fragments.barycentric[hit]
    position = blend(mesh.position, corners, weights)
    normal = torch.nn.functional.normalize(blend(mesh.normal, corners, weights), dim=1)
    depth = torch.full(shape, torch.inf, dtype=torch.float32, device=hit.device)
    depth[hit] = view_depth(position, camera).float()
    return ViewBuffers(
        resized(camera, shape),
        _paint(hit, position),
        _paint(hit, normal),
        _paint(hit, mesh.ids[corners[:, 0], :1])[..., 0],
        depth,
        hit,
        _paint(hit, blend(mesh.uv, corners, weights)),
        fragments.triangle,
    )


def view_depth(points: Tensor, camera: Camera) -> Tensor:
    """(N,) float64 metres along the view axis of world points (N, 3)."""
    axis = torch.from_numpy(camera.view_matrix[2]).to(points.device)
    return -(points.double() @ axis[:3] + axis[3])


def blend(attribute: Tensor, corners: Tensor, weights: Tensor) -> Tensor:
    """A vertex attribute (V, C) at points of triangles: corners (P, 3), weights (P, 3)."""
    return torch.einsum("pk,pkc->pc", weights, attribute[corners])


def _paint(hit: Tensor, values: Tensor) -> Tensor:
    image = values.new_zeros((*hit.shape, values.shape[1]))
    image[hit] = values
    return image


def view_from_buffers(view: View, buffers: Mapping[str, Array]) -> ViewBuffers:
    """A host's captured view. Needs depth or position; normals and object ids where captured.

    Without normals they come from the positions. Raises RequestError(BAD_BUFFER).
    """
    position, depth = _captured_surface(view, buffers)
    mask = np.isfinite(depth)
    normal = (
        _world_normals(buffers[view.normal.sha256], view.camera)
        if view.normal is not None
        else _normals_of_positions(position, mask, view.camera)
    )
    ids = (
        buffers[view.object_id.sha256].astype(np.int32)
        if view.object_id is not None
        else mask.astype(np.int32)
    )
    for name, array in (("normal", normal), ("object_id", ids), ("depth", depth)):
        if array.shape[:2] != mask.shape:
            _refuse(f"the view's {name} is {array.shape[:2]} but its depth is {mask.shape}")
    return ViewBuffers(
        resized(view.camera, (mask.shape[0], mask.shape[1])),
        torch.from_numpy(np.where(mask[..., None], position, 0).astype(np.float32)),
        torch.from_numpy(np.where(mask[..., None], normal, 0).astype(np.float32)),
        torch.from_numpy(np.where(mask, ids, 0).astype(np.int32)),
        torch.from_numpy(np.where(mask, depth, np.inf).astype(np.float32)),
        torch.from_numpy(mask),
    )


def _captured_surface(view: View, buffers: Mapping[str, Array]) -> tuple[Array, Array]:
    if view.position is not None:
        position = buffers[view.position.sha256].astype(np.float64)
        matrix = view.camera.view_matrix
        depth = -(position @ matrix[2, :3] + matrix[2, 3])
        return position, np.where(np.isfinite(depth), depth, np.inf)
    if view.depth is None:
        _refuse("a view for texturing needs its depth or its world positions")
    depth = buffers[view.depth.sha256].astype(np.float64)
    with np.errstate(invalid="ignore"):
        return unproject(view.camera, depth), depth


def _world_normals(encoded: Array, camera: Camera) -> Array:
    """8-bit camera-space normals to unit world-space ones."""
    normal = encoded.astype(np.float64) / 255 * 2 - 1
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    world: Array = normal @ camera.view_matrix[:3, :3]
    return world


def _normals_of_positions(position: Array, mask: Array, camera: Camera) -> Array:
    """World normals from position differences, each taken on the flatter side of the pixel."""
    solid = np.where(mask[..., None], position, np.nan)
    right = _flatter_difference(solid, 1)
    down = _flatter_difference(solid, 0)
    normal = np.nan_to_num(np.cross(down, right))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-30)
    toward = -camera.view_matrix[2, :3] if camera.orthographic else position - camera.position
    facing = np.nan_to_num((normal * toward).sum(-1, keepdims=True))
    return np.asarray(np.where(facing > 0, -normal, normal))


def _flatter_difference(points: Array, axis: int) -> Array:
    pad = [(0, 0)] * 3
    pad[axis] = (1, 1)
    step = np.diff(np.pad(points, pad, constant_values=np.nan), axis=axis)
    count = points.shape[axis]
    before = np.take(step, range(count), axis)
    after = np.take(step, range(1, count + 1), axis)
    length_before = np.nan_to_num(np.linalg.norm(before, axis=-1), nan=np.inf)
    length_after = np.nan_to_num(np.linalg.norm(after, axis=-1), nan=np.inf)
    return np.where((length_before < length_after)[..., None], before, after)


def _refuse(message: str) -> NoReturn:
    raise RequestError(ErrorCode.BAD_BUFFER, message)
