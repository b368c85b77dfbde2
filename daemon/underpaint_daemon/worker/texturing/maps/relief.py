"""What a view shows of a surface's fine shape: heights from brightness, and normals that lean as
those heights or a model say. Everything that changes slowly is the mesh's own and left to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from underpaint_daemon.worker.materials.estimates import luminance

from ..cameras.render import ViewBuffers

Array = npt.NDArray[Any]
_SHARPEST_PX = 1.0
_RELIEF_SPAN = 0.03  # of a view's side
_MACRO_SPAN = 0.06
_STEEPEST = 1.5


@dataclass(frozen=True, slots=True)
class Surface:
    """A view's geometry at its picture's resolution, (h, w) pixels: mask bool; position, normal
    (h, w, 3) float32, world."""

    mask: Array
    position: Array
    normal: Array

    @classmethod
    def of(cls, view: ViewBuffers, size: tuple[int, int]) -> Surface:
        """A view's buffers, enlarged where the picture is larger."""
        mask, position, normal = (
            array.cpu().numpy() for array in (view.mask, view.position, view.normal)
        )
        if mask.shape != size:
            shape = size[::-1]
            mask = cv2.resize(mask.astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST) > 0
            position = cv2.resize(position, shape, interpolation=cv2.INTER_LINEAR)
            normal = cv2.resize(normal, shape, interpolation=cv2.INTER_LINEAR)
        length = np.linalg.norm(normal, axis=-1, keepdims=True)
        return cls(mask, position, normal / np.maximum(length, 1e-6))


def relief_of(picture: Array, surface: Surface) -> Array:
    """(h, w) float32: luminance above its surroundings on the object, 0 off it."""
    light = luminance(picture)
    span = _RELIEF_SPAN * min(surface.mask.shape)
    relief = _blur(light, surface.mask, _SHARPEST_PX) - _blur(light, surface.mask, span)
    return np.asarray(np.where(surface.mask, relief, 0), np.float32)


def leaning(height: Array, surface: Surface) -> Array:
    """How normals lean on a surface that is raised by height (h, w) metres: (h, w, 3) float32,
    to be added to the unit normal. Method: Mikkelsen 2010, surface gradients."""
    across, down = (_difference(surface.position, axis) for axis in (1, 0))
    rise_x, rise_y = (_difference(height[..., None], axis) for axis in (1, 0))
    normal = surface.normal
    area = (across * np.cross(down, normal)).sum(-1, keepdims=True)
    gradient = rise_x * np.cross(down, normal) + rise_y * np.cross(normal, across)
    gradient = gradient / np.where(np.abs(area) > 1e-20, area, np.inf)
    steep = np.linalg.norm(gradient, axis=-1, keepdims=True)
    gradient *= np.minimum(1, _STEEPEST / np.maximum(steep, 1e-9))
    raised = normal - gradient
    raised /= np.linalg.norm(raised, axis=-1, keepdims=True).clip(1e-9)
    return _on(surface, raised - normal)


def leaning_of(camera_normals: Tensor, view: ViewBuffers, surface: Surface) -> Array:
    """The same from a model's normals (h, w, 3), camera space, OpenGL.

    What it says of the large shape is corrected to the mesh's: the slow part of the difference.
    """
    rotation = view.camera.view_matrix[:3, :3]
    said = camera_normals.double().numpy() @ rotation
    slow = _MACRO_SPAN * min(surface.mask.shape)
    error = _blur(surface.normal - said, surface.mask, slow)
    fine = said + error
    fine /= np.linalg.norm(fine, axis=-1, keepdims=True).clip(1e-9)
    return _on(surface, fine - surface.normal)


def _on(surface: Surface, vectors: Array) -> Array:
    return np.asarray(np.where(surface.mask[..., None], vectors, 0), np.float32)


def _blur(values: Array, mask: Array, sigma: float) -> Array:
    """Gaussian blur (h, w[, c]) in which what is off the mask takes no part."""
    share = gaussian_filter(mask.astype(np.float32), sigma)
    extra = (1,) * (values.ndim - 2)
    kept = values * mask.reshape(*mask.shape, *extra)
    summed = gaussian_filter(np.asarray(kept, np.float32), sigma, axes=(0, 1))
    return np.asarray(summed / np.maximum(share, 1e-4).reshape(*mask.shape, *extra))


def _difference(values: Array, axis: int) -> Array:
    """Central differences (h, w, c) per pixel along an axis (rows go down)."""
    return np.asarray(np.gradient(values.astype(np.float64), axis=axis))


def as_tensor(*parts: Array) -> Tensor:
    """Channels (h, w[, c]) side by side, float32."""
    columns = [part if part.ndim == 3 else part[..., None] for part in parts]
    return torch.from_numpy(np.concatenate(columns, -1).astype(np.float32))
