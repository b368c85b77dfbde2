"""Latent spaces: how each kind of VAE's latents are scaled for the network that denoises them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

_PATCH = 2
_KNOWN = ("AutoencoderDC", "AutoencoderKL", "AutoencoderKLFlux2", "AutoencoderKLQwenImage")
_ROW, _FILM = 3, 5  # dimensions


def kind_of(vae: Any) -> str:
    """The VAE's class."""
    return type(vae).__name__


def cell_of(vae: Any) -> int:
    """Pixels that one cell of the denoised latents covers along a side."""
    config = vae.config
    if kind_of(vae) == "AutoencoderDC":
        return int(2 ** (len(config.encoder_block_out_channels) - 1))
    if kind_of(vae) == "AutoencoderKLQwenImage":
        return int(2 ** len(config.temperal_downsample))
    cell = int(2 ** (len(config.block_out_channels) - 1))
    return cell * _PATCH if kind_of(vae) == "AutoencoderKLFlux2" else cell


def channels_of(vae: Any) -> int:
    """Channels of the denoised latents."""
    if kind_of(vae) == "AutoencoderKLQwenImage":
        return int(vae.config.z_dim)
    channels = int(vae.config.latent_channels)
    return channels * _PATCH**2 if kind_of(vae) == "AutoencoderKLFlux2" else channels


def to_space(vae: Any, pixels: Tensor) -> Tensor:
    """Pixels (n, 3, h, w) in -1..1, of the VAE's device and dtype, to the mean of their scaled
    latents (n, c, h', w') float32."""
    if kind_of(vae) == "AutoencoderDC":
        return _float(vae.encode(pixels).latent) * float(vae.config.scaling_factor)
    if kind_of(vae) == "AutoencoderKLQwenImage":
        mean, spread = _statistics(vae)
        raw = _float(vae.encode(pixels[:, :, None]).latent_dist.mode())[:, :, 0]
        return (raw - mean.to(raw)) / spread.to(raw)
    raw = _float(vae.encode(pixels).latent_dist.mode())
    if kind_of(vae) == "AutoencoderKLFlux2":
        mean, spread = _running(vae)
        return (pixel_unshuffle(raw, _PATCH) - mean.to(raw)) / spread.to(raw)
    return (raw - _shift(vae)) * float(vae.config.scaling_factor)


def from_space(vae: Any, latents: Tensor) -> Tensor:
    """The inverse: scaled latents to pixels (n, 3, h, w) in about -1..1, in the VAE's dtype."""
    if kind_of(vae) == "AutoencoderDC":
        return _decoded(vae, latents / vae.config.scaling_factor)
    if kind_of(vae) == "AutoencoderKLQwenImage":
        mean, spread = _statistics(vae)
        raw = latents.float() * spread.to(latents.device) + mean.to(latents.device)
        return _decoded(vae, raw[:, :, None])[:, :, 0]
    if kind_of(vae) == "AutoencoderKLFlux2":
        mean, spread = _running(vae)
        raw = latents.float() * spread.to(latents.device) + mean.to(latents.device)
        return _decoded(vae, pixel_shuffle(raw, _PATCH))
    return _decoded(vae, latents / vae.config.scaling_factor + _shift(vae))


def laid_out(vae: Any, latents: Tensor, size: tuple[int, int]) -> Tensor | None:
    """A pipeline's latents, in whatever layout, as an image (1, c, h, w): patches in a row, or a
    film of one frame. None where they cannot be read, or the VAE is of no kind that is known."""
    if kind_of(vae) not in _KNOWN:
        return None
    if latents.ndim != _ROW:
        return latents[:, :, 0] if latents.ndim == _FILM else latents
    patch = math.isqrt(latents.shape[-1] // channels_of(vae))
    return unpacked(latents, patch, size) if patch else None


def unpacked(latents: Tensor, patch: int | None, size: tuple[int, int]) -> Tensor | None:
    """A pipeline's latents as an image (1, c, h, w), or None when they cannot be laid out.

    `patch`: cells a side of a patch in a sequence (1, patches, patch² c), channels first; None =
    an image already. `size`: of the picture, for its proportions alone.
    """
    if patch is None:
        return latents if latents.ndim == 4 else None
    count = latents.shape[1]
    rows = round(math.sqrt(count * size[0] / size[1]))
    if rows == 0 or count % rows:
        return None
    grid = latents.permute(0, 2, 1).reshape(1, -1, rows, count // rows)
    return pixel_shuffle(grid, patch)


def packed(latents: Tensor, patch: int | None) -> Tensor:
    """The inverse of `unpacked`."""
    if patch is None:
        return latents
    return pixel_unshuffle(latents, patch).flatten(2).permute(0, 2, 1)


def _decoded(vae: Any, raw: Tensor) -> Tensor:
    image: Tensor = vae.decode(raw.to(vae.dtype), return_dict=False)[0]
    return image


def _float(tensor: Tensor) -> Tensor:
    return tensor.float()


def _shift(vae: Any) -> float:
    return float(getattr(vae.config, "shift_factor", None) or 0.0)


def _statistics(vae: Any) -> tuple[Tensor, Tensor]:
    rows = (torch.tensor(row) for row in (vae.config.latents_mean, vae.config.latents_std))
    mean, spread = (row[None, :, None, None] for row in rows)
    return mean, spread


def _running(vae: Any) -> tuple[Tensor, Tensor]:
    """Of the patches, by the VAE's batch norm."""
    spread = (vae.bn.running_var + vae.config.batch_norm_eps).float().sqrt()
    mean = vae.bn.running_mean.float()
    return mean[None, :, None, None], spread[None, :, None, None]
