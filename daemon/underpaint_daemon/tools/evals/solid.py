"""A known texture: a colour at every point of space, smooth, without seams, band-limited.

Oracle tests paint objects with it, take pictures, and ask for it back.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint.cameras import Camera
from underpaint_daemon.worker.texturing.cameras.render import blend, fragments_of
from underpaint_daemon.worker.texturing.surface.mesh import Mesh

_WAVELENGTHS = (1 / 4, 1 / 7, 1 / 12, 1 / 20)
"""Of the object's bounding diagonal; each channel has one wave of each, equally strong."""

_PIXELS_AT_ONCE = 1 << 16
MAGENTA = (1.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Solid:
    """Sums of plane waves: wave (3, K, 3) radians a metre, phase (3, K)."""

    wave: Tensor
    phase: Tensor

    def __call__(self, position: Tensor) -> Tensor:
        """Colours (..., 3) float32 in 0..1 of world points (..., 3)."""
        angle = torch.einsum("...i,cki->...ck", position, self.wave) + self.phase
        return 0.5 + 0.5 * angle.sin().mean(-1)


def solid_texture(mesh: Mesh, seed: int = 0) -> Solid:
    """A texture fitted to a mesh's size; seeded on the CPU."""
    generator = torch.Generator().manual_seed(seed)
    low, high = mesh.bounds
    diagonal = float((high - low).norm())
    direction = torch.randn((3, len(_WAVELENGTHS), 3), generator=generator)
    direction /= direction.norm(dim=-1, keepdim=True)
    rate = 2 * torch.pi / (torch.tensor(_WAVELENGTHS) * diagonal)
    phase = torch.rand((3, len(_WAVELENGTHS)), generator=generator) * 2 * torch.pi
    device = mesh.position.device
    return Solid((direction * rate[:, None]).to(device), phase.to(device))


def picture(
    mesh: Mesh,
    camera: Camera,
    solid: Solid,
    background: tuple[float, float, float] = MAGENTA,
    oversampling: int = 2,
) -> Tensor:
    """A photograph (h, w, 4) float32 of the painted mesh: colour, and the share of background;
    each pixel the mean of n² samples."""
    size = (camera.height * oversampling, camera.width * oversampling)
    fragments = fragments_of(mesh, camera, size)
    triangle = fragments.triangle.reshape(-1)
    hit = (triangle >= 0).nonzero()[:, 0]
    image = mesh.position.new_tensor([*background, 1.0])[:, None].repeat(1, len(triangle))
    for pixels in torch.split(hit, _PIXELS_AT_ONCE):  # so many stay in a CPU's cache
        weights = fragments.barycentric.reshape(-1, 3)[pixels]
        position = blend(mesh.position, mesh.faces[triangle[pixels]], weights)
        image[:3, pixels] = solid(position).T
    image[3, hit] = 0
    small = torch.nn.functional.avg_pool2d(image.reshape(1, 4, *size), oversampling)
    return small[0].permute(1, 2, 0).contiguous()
