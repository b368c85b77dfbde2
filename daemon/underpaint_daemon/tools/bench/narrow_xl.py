"""A narrow model of SDXL's layout with random weights: its blocks, transformer depths and latents,
a UNet a tenth as wide and a VAE a quarter. For measures that need no meaning."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    EulerDiscreteScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from underpaint_daemon.common.models import starter_folder

_CHANNELS = (32, 64, 128)
_VAE_CHANNELS = (32, 64, 128, 128)
_HEADS = (1, 2, 4)
_CROSS, _TIME = 64, 8


def build_narrow_xl(folder: Path) -> None:
    """Save the model (seeded) and a depth ControlNet; its tokenizer is the starter's."""
    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(starter_folder() / "tokenizer")
    text, unet = _text(tokenizer), _unet()
    StableDiffusionXLPipeline(
        vae=_vae().eval(),
        text_encoder=CLIPTextModel(text).eval(),
        text_encoder_2=CLIPTextModelWithProjection(text).eval(),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet.eval(),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
        ),
        add_watermarker=False,
    ).save_pretrained(folder)
    ControlNetModel.from_unet(unet).save_pretrained(folder / "controlnet_depth")


def _text(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_CROSS // 2,
        intermediate_size=_CROSS,
        projection_dim=_CROSS // 2,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


def _unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=128,
        block_out_channels=_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=[1, 2, 10],
        attention_head_dim=_HEADS,  # diffusers' name for the number of heads
        cross_attention_dim=_CROSS,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=_TIME,
        projection_class_embeddings_input_dim=6 * _TIME + _CROSS // 2,
    )


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=_VAE_CHANNELS,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        norm_num_groups=16,
        sample_size=1024,
        scaling_factor=0.13025,
    )
