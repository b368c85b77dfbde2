"""A tiny random-weight model in the standard layout: every real code path, in seconds."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"})

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    MarigoldIntrinsicsPipeline,
    MarigoldNormalsPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

WIDTH = 16
STEPS = 4
_WORDS = ("a", "red", "stone", "cube", "blue", "ball")


def build(folder: Path, *, zero_snr: bool = True) -> Path:
    """An SD 1.5-like model (f4, 4 latent channels) with two ControlNets, a LoRA, an IP-Adapter."""
    torch.manual_seed(7)
    unet = _unet(WIDTH)
    pipeline = StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_text_config()).eval(),
        tokenizer=_tokenizer(),
        unet=unet,
        scheduler=_scheduler(zero_snr),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    for kind in ("depth", "normal"):
        _controlnet(unet).save_pretrained(folder / f"controlnet_{kind}")
    _save_lora(unet, folder / "loras" / "style.safetensors")
    _save_ip_adapter(unet, folder / "ip_adapter")
    (folder / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    _paints_quickly(folder)
    return folder


def build_guided(folder: Path) -> Path:
    """The same with a ControlNet for the guide, which it follows by itself, as the starter does."""
    build(folder)
    shutil.copytree(folder / "controlnet_normal", folder / "controlnet_guide")
    _paints_quickly(folder, controls=[{"kind": "depth"}, {"kind": "guide"}])
    return folder


def _paints_quickly(folder: Path, **more: Any) -> None:
    wants = {"sampler": "lcm", "steps": STEPS, "guidance": 1.5, **more}
    (folder / "underpaint.json").write_text(json.dumps(wants))


def build_xl(folder: Path) -> Path:
    """An SDXL-like model with a depth ControlNet."""
    torch.manual_seed(8)
    unet = _unet(
        2 * WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_text_config()).eval(),
        text_encoder_2=CLIPTextModelWithProjection(_text_config()).eval(),
        tokenizer=_tokenizer(),
        tokenizer_2=_tokenizer(),
        unet=unet,
        scheduler=_scheduler(False),
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder)
    _controlnet(unet).save_pretrained(folder / "controlnet_depth")
    _paints_quickly(folder)
    return folder


def build_marigold(folder: Path, *, intrinsics: bool) -> Path:
    """A Marigold model: of albedo, roughness and metallicity, or of normals."""
    torch.manual_seed(9)
    targets = 2 if intrinsics else 1
    unet = _unet(WIDTH, in_channels=4 * (targets + 1), out_channels=4 * targets)
    parts = {
        "unet": unet,
        "vae": _vae(),
        "text_encoder": CLIPTextModel(_text_config()).eval(),
        "tokenizer": _tokenizer(),
        "scheduler": _scheduler(True),
        "default_denoising_steps": 2,
        "default_processing_resolution": 64,
    }
    if intrinsics:
        stacked = {
            "prediction_space": "stack",
            "sub_target_names": ["roughness", "metallicity", None],
        }
        linear = {"prediction_space": "linear", "up_to_scale": False}
        properties = {
            "target_names": ["albedo", "material"],
            "albedo": {"prediction_space": "srgb", "up_to_scale": False},
            "material": stacked,
            "roughness": linear,
            "metallicity": linear,
        }
        made = MarigoldIntrinsicsPipeline(
            prediction_type="intrinsics", target_properties=properties, **parts
        )
    else:
        made = MarigoldNormalsPipeline(prediction_type="normals", **parts)
    made.save_pretrained(folder)
    return folder


def _unet(
    cross: int, in_channels: int = 4, out_channels: int = 4, **extra: object
) -> UNet2DConditionModel:
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


def _vae() -> AutoencoderKL:
    vae = AutoencoderKL(
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
    vae.quant_conv.weight.data[4:], vae.quant_conv.bias.data[4:] = 0, -30
    pictures = torch.nn.functional.interpolate(torch.rand(8, 3, 4, 4), (64, 64), mode="bilinear")
    with torch.no_grad():
        spread = float(vae.encode(pictures * 2 - 1).latent_dist.mode().std())
    vae.register_to_config(scaling_factor=1 / spread)
    return vae


def _scheduler(zero_snr: bool) -> DDIMScheduler:
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


def _text_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(_tokenizer()),
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


def _tokenizer() -> CLIPTokenizer:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = [f"{word}</w>" for word in _WORDS if len(word) > 1]
    vocab: dict[str, int] = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    merges: list[tuple[str, str]] = []
    for token in [*letters, *(f"{letter}</w>" for letter in letters)]:
        vocab[token] = len(vocab)
    for word in words:
        vocab.setdefault(word, len(vocab))
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=16)


def _controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    network = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 16))
    for parameter in network.parameters():
        # Zero convolutions start at zero; an untrained net must still show an effect.
        torch.nn.init.normal_(parameter, std=0.15) if not parameter.any() else None
    return network.eval()


def _save_lora(unet: UNet2DConditionModel, file: Path) -> None:
    tensors = {}
    for name, module in unet.named_modules():
        if name.endswith(("to_q", "to_v")):
            tensors[f"unet.{name}.lora_A.weight"] = torch.randn(2, module.in_features)
            tensors[f"unet.{name}.lora_B.weight"] = torch.randn(module.out_features, 2)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)


def _save_ip_adapter(unet: UNet2DConditionModel, folder: Path) -> None:
    cross = unet.config.cross_attention_dim
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
    for name in unet.attn_processors:
        if "attn2" in name:
            width = dict(unet.named_modules())[name.removesuffix(".processor")].to_k.out_features
            tensors[f"ip_adapter.{index}.to_k_ip.weight"] = torch.randn(width, cross) * 0.3
            tensors[f"ip_adapter.{index}.to_v_ip.weight"] = torch.randn(width, cross) * 0.3
            index += 2
    save_file(tensors, folder / "ip_adapter.safetensors")


def break_index(folder: Path, **changes: object) -> None:
    """Rewrite entries of a model's index."""
    file = folder / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
