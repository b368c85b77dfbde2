"""Small VAEs, with latents of unit spread, as a trained one's are."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderDC, AutoencoderKL, AutoencoderKLFlux2, AutoencoderKLQwenImage


def _pictures() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand((8, 3, 4, 4), generator=generator)
    return torch.nn.functional.interpolate(coarse, (64, 64), mode="bilinear") * 2 - 1


def kl(channels: int = 16, *, shift: float = 0.1, quantised: bool = False) -> Any:
    """AutoencoderKL of four levels: an eighth of the side."""
    vae = AutoencoderKL(
        **_levels(),
        latent_channels=channels,
        use_quant_conv=quantised,
        use_post_quant_conv=quantised,
        shift_factor=shift,
        scaling_factor=1.0,
    ).eval()
    vae.encoder.conv_out.bias.data[channels:] = -30  # sure of its means
    vae.encoder.conv_out.weight.data[channels:] = 0
    with torch.no_grad():
        mean = vae.encode(_pictures()).latent_dist.mode()
    vae.register_to_config(scaling_factor=1 / float(mean.std()), shift_factor=float(mean.mean()))
    return vae


def _levels() -> dict[str, Any]:
    return {
        "block_out_channels": (8, 8, 16, 16),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "force_upcast": True,
        "mid_block_add_attention": True,
    }


def flux2_kl() -> Any:
    """FLUX.2's: patches of 2×2 latents, normalised by running means."""
    levels = {key: value for key, value in _levels().items() if key != "force_upcast"}
    vae = AutoencoderKLFlux2(**levels, latent_channels=32).eval()
    vae.quant_conv.weight.data[32:], vae.quant_conv.bias.data[32:] = 0, -30
    with torch.no_grad():
        mean = vae.encode(_pictures()).latent_dist.mode()
    patched = torch.nn.functional.pixel_unshuffle(mean, 2)
    vae.bn.running_mean.copy_(patched.mean((0, 2, 3)))
    vae.bn.running_var.copy_(patched.var((0, 2, 3)) + 1e-3)
    return vae


def qwen_kl() -> Any:
    """Qwen-Image's: made for video, with a mean and a spread for each channel."""
    return AutoencoderKLQwenImage(base_dim=2, num_res_blocks=1).eval()


def qwen_kl_of_editors() -> Any:
    """The same with a level more, and none of an encoder's blocks at the size of the picture, which
    editors encode at a million pixels."""
    vae = AutoencoderKLQwenImage(
        base_dim=4,
        dim_mult=[1, 1, 1, 1, 1],
        num_res_blocks=0,
        temperal_downsample=[False, True, True, True],
    ).eval()
    with torch.no_grad():
        mean = vae.encode(_pictures()[:, :, None]).latent_dist.mode()
    vae.register_to_config(
        latents_mean=mean.mean((0, 2, 3, 4)).tolist(), latents_std=mean.std((0, 2, 3, 4)).tolist()
    )
    vae.decoder.conv_out.weight.data *= 8  # what reads a picture a little shows in eight bits
    return vae


def deep() -> Any:
    """Sana's DC-AE: a thirty-second of the side."""
    blocks = ("ResBlock",) * 4 + ("EfficientViTBlock",) * 2
    wide = (8, 8, 16, 16, 32, 32)  # the last at least as wide as the latents
    multiscales = ((), (), (), (), (5,), (5,))
    return AutoencoderDC(
        latent_channels=32,
        attention_head_dim=8,
        encoder_block_types=blocks,
        decoder_block_types=blocks,
        encoder_block_out_channels=wide,
        decoder_block_out_channels=wide,
        encoder_layers_per_block=(1,) * 6,
        decoder_layers_per_block=(1,) * 6,
        encoder_qkv_multiscales=multiscales,
        decoder_qkv_multiscales=multiscales,
        scaling_factor=0.41407,
    ).eval()
