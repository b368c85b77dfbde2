"""Between pixels and latents, and a cheap look at latents while they are denoised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .families.text import home
from .spaces import cell_of, from_space, to_space

Image8 = npt.NDArray[np.uint8]
_FIT_IMAGES = 16  # a thousand cells: more changed nothing, and a CPU encodes them in seconds
_FIT_CELLS = 8
_FIT_BATCH = 8
_PATCH = 2  # cells a side of a transformer's patch


def vae_scale(vae: Any) -> int:
    """Pixels a latent cell covers along a side."""
    return cell_of(vae)


def grid_cell(vae: Any, network: Any) -> int:
    """Pixels that a cell of the coarsest grid of the network that denoises covers along a side."""
    levels = getattr(network.config, "block_out_channels", None)
    return cell_of(vae) * (int(2 ** (len(levels) - 1)) if levels else _PATCH)


@torch.no_grad()
def decode_latents(vae: Any, latents: Tensor) -> Tensor:
    """Scaled latents (n, c, h, w) to images (n, 3, h*f, w*f), float32, 0–1, on the CPU."""
    with _precise(vae):
        image = from_space(vae, latents.to(home(vae), vae.dtype))
    if vae.dtype == torch.float16 and not bool(torch.isfinite(image).all()):
        # A VAE that overflows without saying so in its config: black pictures, elsewhere.
        with _widened(vae):
            image = from_space(vae, latents.to(home(vae), vae.dtype))
    shown: Tensor = (image.float().cpu() * 0.5 + 0.5).clamp(0, 1)
    return shown


@torch.no_grad()
def encode_images(vae: Any, images: Tensor) -> Tensor:
    """Images (n, 3, h, w), 0–1, to the mean of their scaled latents (n, c, h/f, w/f), float32."""
    with _precise(vae):
        return to_space(vae, (images * 2 - 1).to(home(vae), vae.dtype))


def to_image8(image: Tensor) -> Image8:
    """A (3, h, w) float image, 0–1, as (h, w, 3) uint8."""
    scaled = (image.clamp(0, 1) * 255).round().to(torch.uint8)
    return scaled.permute(1, 2, 0).contiguous().cpu().numpy()


def from_image8(image: Image8) -> Tensor:
    """A (h, w, 3) uint8 image as (1, 3, h, w) float32, 0–1."""
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None] / 255


@contextmanager
def _precise(vae: Any) -> Iterator[None]:
    """Run a VAE that overflows in half precision (SDXL's) in float32, for this once."""
    if vae.dtype == torch.float16 and bool(getattr(vae.config, "force_upcast", False)):
        with _widened(vae):
            yield
    else:
        yield


@contextmanager
def _widened(vae: Any) -> Iterator[None]:
    """Run a VAE in float32 in this block."""
    dtype = vae.dtype
    vae.to(torch.float32)
    try:
        yield
    finally:
        vae.to(dtype)


@dataclass(frozen=True, slots=True)
class LatentPreview:
    """A linear map from latent channels to RGB: `matrix` (c + 1, 3), its last row the offset.

    Fitted by least squares on synthetic pictures through the model's own encoder, so that it
    holds for any VAE. A latent of 64×64 takes about 0.1 ms.
    """

    matrix: npt.NDArray[np.float32]

    def __call__(self, latents: Tensor) -> Image8:
        """Scaled latents (1, c, h, w) or (c, h, w) as (h, w, 3) uint8 sRGB."""
        cells = latents.reshape(latents.shape[-3:]).permute(1, 2, 0).float().cpu().numpy()
        colour = cells @ self.matrix[:-1] + self.matrix[-1]
        shown: Image8 = (np.nan_to_num(colour).clip(0, 1) * 255).round().astype(np.uint8)
        return shown


def fit_preview(vae: Any) -> LatentPreview:
    """Fit a model's LatentPreview: encode some synthetic pictures, regress their mean colours."""
    factor = vae_scale(vae)
    pictures = _synthetic_pictures(_FIT_IMAGES, _FIT_CELLS, factor)
    batches = [pictures[i : i + _FIT_BATCH] for i in range(0, _FIT_IMAGES, _FIT_BATCH)]
    latents = torch.cat([encode_images(vae, batch).cpu() for batch in batches])
    target = torch.nn.functional.avg_pool2d(pictures, factor)
    rows = latents.permute(0, 2, 3, 1).flatten(0, 2).double()
    design = torch.cat((rows, torch.ones_like(rows[:, :1])), 1)
    colours = target.permute(0, 2, 3, 1).flatten(0, 2).double()
    # A little ridge keeps the map finite where a channel never moves.
    normal = design.T @ design + 1e-6 * len(design) * torch.eye(design.shape[1]).double()
    matrix = torch.linalg.solve(normal, design.T @ colours)
    return LatentPreview(matrix.float().numpy())


def _synthetic_pictures(count: int, cells: int, factor: int) -> Tensor:
    """(count, 3, side, side): smooth colour fields with some grain, always the same."""
    generator = torch.Generator().manual_seed(20260101)
    coarse = torch.rand((count, 3, 4, 4), generator=generator)
    side = cells * factor
    smooth = torch.nn.functional.interpolate(
        coarse, (side, side), mode="bilinear", align_corners=False
    )
    spread = torch.linspace(0.1, 1.0, count)[:, None, None, None]
    mean = torch.rand((count, 3, 1, 1), generator=generator)
    grain = 0.02 * torch.randn((count, 3, side, side), generator=generator)
    return (mean + (smooth - mean) * spread + grain).clamp(0, 1)
