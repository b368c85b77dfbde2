"""Families that Underpaint has no file for; diffusers loads them."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AuraFlowPipeline,
    AuraFlowTransformer2DModel,
    DDPMScheduler,
    Kandinsky3Pipeline,
    Kandinsky3UNet,
    VQModel,
)

from .parts import awake, flow
from .texts import WIDTH, t5_encoder, t5_tokenizer
from .vaes import kl


def auto(folder: Path) -> Path:
    """AuraFlow: words alone, and a pipeline that cannot be told to stop."""
    torch.manual_seed(95)
    transformer = awake(
        AuraFlowTransformer2DModel(
            sample_size=16,
            in_channels=4,
            out_channels=4,
            num_mmdit_layers=1,
            num_single_dit_layers=2,
            attention_head_dim=8,
            num_attention_heads=4,
            joint_attention_dim=WIDTH,
            caption_projection_dim=32,
            pos_embed_max_size=256,
        )
    )
    AuraFlowPipeline(
        transformer=transformer,
        scheduler=flow(shift=1.73),
        vae=kl(4, shift=0.0, quantised=True),
        text_encoder=t5_encoder(),
        tokenizer=t5_tokenizer(),
    ).save_pretrained(folder)
    return folder


def auto_image(folder: Path) -> Path:
    """Kandinsky 3: ε, a UNet, a decoder that is no VAE by name, from pictures too."""
    torch.manual_seed(96)
    unet = awake(
        Kandinsky3UNet(
            in_channels=4,
            time_embedding_dim=16,
            groups=2,
            attention_head_dim=4,
            layers_per_block=3,
            block_out_channels=(8, 16),
            cross_attention_dim=16,
            encoder_hid_dim=WIDTH,
        )
    )
    movq = VQModel(
        block_out_channels=[32, 32, 32, 32],
        down_block_types=["DownEncoderBlock2D"] * 3 + ["AttnDownEncoderBlock2D"],
        up_block_types=["AttnUpDecoderBlock2D"] + ["UpDecoderBlock2D"] * 3,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=4,
        norm_type="spatial",
        num_vq_embeddings=12,
        vq_embed_dim=4,
    )
    Kandinsky3Pipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder(),
        unet=unet,
        scheduler=DDPMScheduler(beta_start=0.00085, beta_end=0.012),
        movq=movq.eval(),
    ).save_pretrained(folder)
    return folder
