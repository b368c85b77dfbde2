"""The closed-form code: principal components of 4x4 image patches, and its exact encoder.

The four leading components of the patches, whitened, are where the autoencoder's training begins:
each channel means something (brightness, two colours, a gradient) and has unit variance. The
encoder then moves a little from there (see `vae_train`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional as F

from underpaint_starter.networks.models import LATENT_CHANNELS, LATENT_FACTOR

_ANCHOR = 64.0  # constant channels this large pin the statistics of the last group norm


@dataclass(frozen=True, slots=True)
class PatchPca:
    """mean: (48,), basis: (48, 4) orthonormal columns, scale: (4,) standard deviations."""

    mean: Tensor
    basis: Tensor
    scale: Tensor

    def encode(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) in -1..1 to unit-variance codes (n, 4, h/4, w/4)."""
        patches = F.pixel_unshuffle(images, LATENT_FACTOR).movedim(1, -1)
        return ((patches - self.mean) @ self.basis / self.scale).movedim(-1, 1)

    def decode(self, codes: Tensor) -> Tensor:
        """The best linear reconstruction of the images."""
        patches = (codes.movedim(1, -1) * self.scale) @ self.basis.T + self.mean
        return F.pixel_shuffle(patches.movedim(-1, 1), LATENT_FACTOR)


def fit_pca(images: Tensor) -> PatchPca:
    """Principal components of the 4x4 patches of (n, 3, h, w) images."""
    patches = F.pixel_unshuffle(images, LATENT_FACTOR).movedim(1, -1).flatten(0, -2).double()
    mean = patches.mean(0)
    centred = patches - mean
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    top = torch.arange(-1, -LATENT_CHANNELS - 1, -1)
    basis = vectors[:, top]
    basis = basis * torch.where(basis.sum(0) < 0, -1.0, 1.0)
    return PatchPca(mean.float(), basis.float(), values[top].sqrt().float())


@torch.no_grad()
def write_encoder(vae: AutoencoderKL, pca: PatchPca) -> None:
    """Set the encoder's weights so that it computes `pca.encode`.

    The residual branches are silenced, the strided convolutions gather the patch, one 1x1
    convolution projects it. The last group norm is pinned by constant channels, and the
    activation cancels because silu(a) - silu(-a) = a.
    """
    encoder = vae.encoder
    for block in [*(r for d in encoder.down_blocks for r in d.resnets), *encoder.mid_block.resnets]:
        _zero(block.conv2)
        if block.conv_shortcut is not None:
            _copy_channels(block.conv_shortcut)
    _copy_channels(encoder.conv_in, centre=1)
    for level, block in enumerate(encoder.down_blocks[:2]):
        _gather(block.downsamplers[0].conv, 3 * 4**level)
    _project(encoder.down_blocks[2].resnets[0].conv_shortcut, pca)
    width = encoder.conv_norm_out.num_channels // encoder.conv_norm_out.num_groups
    encoder.conv_norm_out.weight.fill_(1)
    encoder.conv_norm_out.bias.zero_()
    spread = math.sqrt((2 * _ANCHOR**2 + 2) / width)
    _zero(encoder.conv_out)
    for code in range(LATENT_CHANNELS):
        encoder.conv_out.weight[code, code * width, 1, 1] = spread
        encoder.conv_out.weight[code, code * width + 1, 1, 1] = -spread
    encoder.conv_out.bias[LATENT_CHANNELS:] = -30.0  # log variance: the code is deterministic
    _copy_channels(vae.quant_conv)
    _copy_channels(vae.post_quant_conv)


def _zero(conv: nn.Conv2d) -> None:
    conv.weight.zero_()
    if conv.bias is not None:
        conv.bias.zero_()


def _copy_channels(conv: nn.Conv2d, centre: int = 0) -> None:
    _zero(conv)
    for channel in range(min(conv.in_channels, conv.out_channels)):
        conv.weight[channel, channel, centre, centre] = 1


def _gather(conv: nn.Conv2d, channels: int) -> None:
    """Output channel (dy * 2 + dx) * channels + c = input channel c of pixel (dy, dx)."""
    _zero(conv)
    for dy in range(2):
        for dx in range(2):
            for channel in range(channels):
                conv.weight[(dy * 2 + dx) * channels + channel, channel, dy, dx] = 1


def _patch_order() -> Tensor:
    """Index into an unshuffled patch (channel, y, x) of each gathered channel."""
    return torch.tensor(
        [
            c * 16 + (2 * outer_y + inner_y) * 4 + 2 * outer_x + inner_x
            for outer_y in range(2)
            for outer_x in range(2)
            for inner_y in range(2)
            for inner_x in range(2)
            for c in range(3)
        ]
    )


def _project(conv: nn.Conv2d, pca: PatchPca) -> None:
    """Gathered patches to (code, -code, anchor, -anchor) at the head of one norm group each."""
    _zero(conv)
    weights = (pca.basis / pca.scale)[_patch_order()]
    offset = -(pca.mean @ (pca.basis / pca.scale))
    width = conv.out_channels // 8
    bias = torch.zeros(conv.out_channels)
    for code in range(LATENT_CHANNELS):
        for row, sign in ((code * width, 1), (code * width + 1, -1)):
            conv.weight[row, :48, 0, 0] = sign * weights[:, code]
            bias[row] = sign * offset[code]
        bias[code * width + 2] = _ANCHOR
        bias[code * width + 3] = -_ANCHOR
    if conv.bias is not None:
        conv.bias.copy_(bias)
