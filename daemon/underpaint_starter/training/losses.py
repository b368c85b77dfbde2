"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def luma_chroma(image: Tensor) -> tuple[Tensor, Tensor]:
    """(n, 3, h, w) RGB to luma (n, 1, h, w) and two colour differences (n, 2, h, w)."""
    red, green, blue = image.unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return luma[:, None], torch.stack((red - luma, blue - luma), 1)


def gradients(image: Tensor) -> tuple[Tensor, Tensor]:
    """Horizontal and vertical differences."""
    return image[..., :, 1:] - image[..., :, :-1], image[..., 1:, :] - image[..., :-1, :]


def image_loss(out: Tensor, target: Tensor) -> Tensor:
    """Reconstruction loss of the autoencoder: values, low-resolution colour, and edges.

    Without the colour term a small autoencoder first learns, and may stay with, grey pictures.
    """
    value = F.l1_loss(out, target) + 4 * F.mse_loss(out, target)
    colour = F.l1_loss(
        F.avg_pool2d(luma_chroma(out)[1], 4), F.avg_pool2d(luma_chroma(target)[1], 4)
    )
    pairs = zip(gradients(out), gradients(target), strict=True)
    edges = torch.stack([F.l1_loss(mine, theirs) for mine, theirs in pairs]).mean()
    return value + 2 * colour + 0.5 * edges


def psnr(out: Tensor, target: Tensor) -> Tensor:
    """Mean PSNR in dB of (n, 3, h, w) images in -1..1, each image clamped and judged by itself."""
    error = (out.clamp(-1, 1) - target).square().flatten(1).mean(1) / 4
    return (-10 * torch.log10(error.clamp_min(1e-10))).mean()


def velocity(clean: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """The v target, sqrt(a) noise - sqrt(1 - a) clean (Salimans & Ho 2022). alpha_bar: (n,)."""
    alpha = alpha_bar[:, None, None, None]
    return alpha.sqrt() * noise - (1 - alpha).sqrt() * clean


def noised(clean: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """The noisy latent, sqrt(a) clean + sqrt(1 - a) noise. alpha_bar: (n,)."""
    alpha = alpha_bar[:, None, None, None]
    return alpha.sqrt() * clean + (1 - alpha).sqrt() * noise


def denoising_loss(out: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error, objects (mask (n, 1, h, w) in 0..1) weighing four times the rest."""
    weight = 1 + 3 * mask
    return (weight * (out - target).square()).mean() / weight.mean()


def detail_loss(out: Tensor, target: Tensor, mask: Tensor, window: int = 8) -> Tensor:
    """How far the local contrast of latents (n, c, h, w) is from the true one, at three scales
    and four directions, wherever the details lie.

    The mean of all textures that a prompt allows has no contrast; the mean of their contrasts is
    that of each (the statistics of Portilla & Simoncelli 2000, "A parametric texture model", in
    their simplest form). Objects weigh four times the rest.
    """
    losses = []
    while min(out.shape[-2:]) >= window:
        weight = 1 + 3 * F.avg_pool2d(mask, window, window // 2)
        for mine, true in zip(_slopes(out), _slopes(target), strict=True):
            error = _contrast(mine, window) - _contrast(true, window)
            losses.append((weight * error.abs()).mean() / weight.mean())
        if len(losses) == 12:
            break
        out, target, mask = (F.avg_pool2d(part, 2) for part in (out, target, mask))
    return torch.stack(losses).mean()


def _slopes(image: Tensor) -> list[Tensor]:
    """Differences to the neighbours on the right, below and across, at the size of the image."""
    padded = F.pad(image, (1, 1, 0, 1), mode="replicate")
    height, width = image.shape[-2:]
    spots = ((0, 2), (1, 1), (1, 2), (1, 0))
    return [padded[..., y : y + height, x : x + width] - image for y, x in spots]


def _contrast(slopes: Tensor, window: int) -> Tensor:
    return (F.avg_pool2d(slopes.square(), window, window // 2) + 1e-4).sqrt()


def fine(error: Tensor) -> Tensor:
    """What is left of latents (n, c, h, w) without their local mean."""
    return error - F.avg_pool2d(error, 5, 1, 2, count_include_pad=False)
