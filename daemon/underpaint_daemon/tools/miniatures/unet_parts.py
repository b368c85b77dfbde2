"""What the miniatures of Stable Diffusion 1.5, 2 and XL are made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

WIDTH = 16
STEPS = 4
_WORDS = ("a", "red", "stone", "cube", "blue", "ball")


def unet(
    cross: int, in_channels: int = 4, out_channels: int = 4, **extra: object
) -> UNet2DConditionModel:
    """A UNet of two levels, for latents of 16 cells a side."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=in_channels,
        out_channels=out_channels,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=cross,
        attention_head_dim=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **extra,
    ).eval()


def vae() -> AutoencoderKL:
    """Four latent channels, four pixels a cell; sure of its means, as a trained one is."""
    network = AutoencoderKL(
        block_out_channels=(8, 8, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        mid_block_add_attention=False,
        sample_size=128,
    ).eval()
    # An untrained encoder is all noise: make it sure of its means, as a trained one is.
    network.quant_conv.weight.data[4:], network.quant_conv.bias.data[4:] = 0, -30
    pictures = torch.nn.functional.interpolate(torch.rand(8, 3, 4, 4), (64, 64), mode="bilinear")
    with torch.no_grad():
        spread = float(network.encode(pictures * 2 - 1).latent_dist.mode().std())
    network.register_to_config(scaling_factor=1 / spread)
    return network


def scheduler(zero_snr: bool) -> DDIMScheduler:
    """Of ε, or of v with zero terminal SNR."""
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction" if zero_snr else "epsilon",
        rescale_betas_zero_snr=zero_snr,
        timestep_spacing="trailing" if zero_snr else "leading",
        clip_sample=False,
        steps_offset=1,
    )


def text_config() -> CLIPTextConfig:
    """Of a CLIP text encoder."""
    return CLIPTextConfig(
        vocab_size=len(tokenizer()),
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=16,
        projection_dim=WIDTH,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )


def tokenizer() -> CLIPTokenizer:
    """Of letters and a few words."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = [f"{word}</w>" for word in _WORDS if len(word) > 1]
    vocab: dict[str, int] = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    merges: list[tuple[str, str]] = []
    for token in [*letters, *(f"{letter}</w>" for letter in letters)]:
        vocab[token] = len(vocab)
    for word in words:
        vocab.setdefault(word, len(vocab))
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=16)


def controlnet(of: UNet2DConditionModel) -> ControlNetModel:
    """One that shows an effect."""
    network = ControlNetModel.from_unet(of, conditioning_embedding_out_channels=(8, 8, 16))
    for parameter in network.parameters():
        # Zero convolutions start at zero; an untrained net must still show an effect.
        torch.nn.init.normal_(parameter, std=0.15) if not parameter.any() else None
    return network.eval()


def save_unet_lora(of: UNet2DConditionModel, file: Path) -> None:
    """A LoRA in diffusers' spelling for queries and values."""
    tensors = {}
    for name, module in of.named_modules():
        if name.endswith(("to_q", "to_v")):
            tensors[f"unet.{name}.lora_A.weight"] = torch.randn(2, module.in_features)
            tensors[f"unet.{name}.lora_B.weight"] = torch.randn(module.out_features, 2)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)


def save_ip_adapter(of: UNet2DConditionModel, folder: Path) -> None:
    """A plain IP-Adapter, with its image encoder beside it."""
    cross = of.config.cross_attention_dim
    encoder = CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
            projection_dim=12,
        )
    ).eval()
    encoder.save_pretrained(folder / "image_encoder")
    tensors = {
        "image_proj.proj.weight": torch.randn(4 * cross, 12) * 0.3,
        "image_proj.proj.bias": torch.zeros(4 * cross),
        "image_proj.norm.weight": torch.ones(cross),
        "image_proj.norm.bias": torch.zeros(cross),
    }
    index = 1
    for name in of.attn_processors:
        if "attn2" in name:
            width = dict(of.named_modules())[name.removesuffix(".processor")].to_k.out_features
            tensors[f"ip_adapter.{index}.to_k_ip.weight"] = torch.randn(width, cross) * 0.3
            tensors[f"ip_adapter.{index}.to_v_ip.weight"] = torch.randn(width, cross) * 0.3
            index += 2
    save_file(tensors, folder / "ip_adapter.safetensors")


def paints_quickly(folder: Path, **more: Any) -> None:
    """What the model wants, so that tests take few steps."""
    wants = {"sampler": "lcm", "steps": STEPS, "guidance": 1.5, **more}
    (folder / "underpaint.json").write_text(json.dumps(wants))
