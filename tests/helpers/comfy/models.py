"""One narrow model of each make whose parts ComfyUI keeps in files: what no width tells of them is
as it was released."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from transformers.integrations.mistral.tokenizer import convert_tekken_tokenizer

from underpaint_daemon.common.denoisers.makes import MAKES
from underpaint_daemon.common.model_files import read_json
from underpaint_daemon.common.single_files import config_folder
from underpaint_daemon.tools.miniatures.parts import awake
from underpaint_daemon.tools.miniatures.texts import qwen_tokenizer, t5_tokenizer

from .home import MISTRALS_CHAT, Parts, tekken
from .narrow_parts import (
    LEVELS,
    WIDE,
    clip,
    clip_words,
    projected_clip,
    qwen3,
    schedule,
    t5,
    thinking,
    vae,
)

_STREAM: dict[str, Any] = {
    "num_layers": 1,
    "num_single_layers": 1,
    "attention_head_dim": 128,
    "num_attention_heads": 1,
}


def flux1(cache: Path) -> Parts:
    """FLUX.1 dev."""
    torch.manual_seed(1)
    first, words = clip(cache)
    transformer = diffusers.FluxTransformer2DModel(
        **_STREAM,
        joint_attention_dim=WIDE,
        pooled_projection_dim=WIDE,
        guidance_embeds=True,
    )
    return Parts(
        "FluxPipeline",
        {
            "transformer": awake(transformer),
            "text_encoder": first,
            "tokenizer": words,
            "text_encoder_2": t5(),
            "tokenizer_2": t5_tokenizer(),
            "vae": vae(),
            "scheduler": schedule(shift=3.0, use_dynamic_shifting=True),
        },
    )


def chroma(cache: Path) -> Parts:
    del cache
    torch.manual_seed(2)
    transformer = diffusers.ChromaTransformer2DModel(
        **_STREAM, joint_attention_dim=WIDE, approximator_hidden_dim=32, approximator_layers=1
    )
    parts = {
        "transformer": awake(transformer),
        "text_encoder": t5(),
        "tokenizer": t5_tokenizer(),
        "vae": vae(),
        "scheduler": schedule(shift=3.0),
    }
    return Parts("ChromaPipeline", parts)


def z_image(cache: Path) -> Parts:
    """Turbo."""
    del cache
    torch.manual_seed(3)
    transformer = diffusers.ZImageTransformer2DModel(
        dim=128, n_layers=1, n_refiner_layers=1, n_heads=1, n_kv_heads=1, cap_feat_dim=WIDE
    )
    parts = {
        "transformer": awake(transformer),
        "text_encoder": transformers.Qwen3Model(qwen3(2)).eval(),
        "tokenizer": qwen_tokenizer(),
        "vae": vae(),
        "scheduler": schedule(shift=3.0),
    }
    return Parts("ZImagePipeline", parts)


def klein(cache: Path) -> Parts:
    """FLUX.2 Klein, whose pipeline reads its encoder's layers 9, 18 and 27."""
    del cache
    torch.manual_seed(4)
    transformer = diffusers.Flux2Transformer2DModel(
        **_STREAM, joint_attention_dim=3 * WIDE, guidance_embeds=False
    )
    parts = {
        "transformer": awake(transformer),
        "text_encoder": transformers.Qwen3ForCausalLM(qwen3(28)).eval(),
        "tokenizer": thinking(qwen_tokenizer()),
        "vae": diffusers.AutoencoderKLFlux2(**LEVELS).eval(),
        "scheduler": schedule(shift=3.0, use_dynamic_shifting=True),
        "is_distilled": True,
    }
    return Parts("Flux2KleinPipeline", parts)


def flux2(cache: Path) -> Parts:
    """FLUX.2 dev, whose pipeline reads its encoder's layers 10, 20 and 30."""
    torch.manual_seed(7)
    file = cache / "tekken.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(tekken())
    words = convert_tekken_tokenizer(str(file), MISTRALS_CHAT)
    words.padding_side = words.init_kwargs["padding_side"] = "left"
    config = transformers.Mistral3Config(
        text_config={
            "model_type": "mistral",
            "vocab_size": len(words),
            "hidden_size": WIDE,
            "intermediate_size": WIDE,
            "num_hidden_layers": 32,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 128,
            "rms_norm_eps": 1e-5,
            "sliding_window": None,
            "max_position_embeddings": 131072,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e9},
        },
        vision_config={
            "model_type": "pixtral", "hidden_size": 32, "intermediate_size": 32,
            "num_hidden_layers": 1, "num_attention_heads": 1, "head_dim": 32,
        },
    )  # fmt: skip
    transformer = diffusers.Flux2Transformer2DModel(
        **_STREAM, joint_attention_dim=3 * WIDE, guidance_embeds=True
    )
    parts = {
        "transformer": awake(transformer),
        "text_encoder": transformers.Mistral3ForConditionalGeneration(config).eval(),
        "tokenizer": words,
        "vae": diffusers.AutoencoderKLFlux2(**LEVELS).eval(),
        "scheduler": schedule(shift=3.0, use_dynamic_shifting=True),
    }
    return Parts("Flux2Pipeline", parts)


def qwen_image(cache: Path) -> Parts:
    del cache
    torch.manual_seed(5)
    wide = 128
    transformer = diffusers.QwenImageTransformer2DModel(
        num_layers=1, attention_head_dim=128, num_attention_heads=1, joint_attention_dim=wide
    )
    rope = {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6}
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(qwen_tokenizer()),
            "hidden_size": wide,
            "intermediate_size": wide,
            "num_hidden_layers": 2,
            "num_attention_heads": 1,
            "num_key_value_heads": 1,
            "rms_norm_eps": 1e-6,
            "rope_parameters": rope,
        },
        vision_config={
            "depth": 1,
            "hidden_size": 80,
            "intermediate_size": 80,
            "num_heads": 1,
            "out_hidden_size": wide,
        },
    )
    parts = {
        "transformer": awake(transformer),
        "text_encoder": transformers.Qwen2_5_VLForConditionalGeneration(config).eval(),
        "tokenizer": qwen_tokenizer(),
        "vae": diffusers.AutoencoderKLQwenImage(base_dim=8).eval(),
        "scheduler": schedule(
            shift=1.0, use_dynamic_shifting=True, max_shift=0.9, max_image_seq_len=8192,
            shift_terminal=0.02,
        ),
    }  # fmt: skip
    return Parts("QwenImagePipeline", parts)


def sd35(cache: Path) -> Parts:
    """Medium: two CLIPs as wide to each other as CLIP-L and CLIP-G are, and T5."""
    torch.manual_seed(6)
    small, large = 192, 320
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=128, patch_size=2, in_channels=16, out_channels=16, num_layers=2,
        attention_head_dim=16, num_attention_heads=2, joint_attention_dim=small + large,
        caption_projection_dim=32, pooled_projection_dim=small + large, pos_embed_max_size=16,
        qk_norm="rms_norm", dual_attention_layers=(0,),
    )  # fmt: skip
    first = projected_clip(cache, small)
    torch.nn.init.eye_(first.text_projection.weight)
    parts = {
        "transformer": awake(transformer),
        "text_encoder": first,
        "tokenizer": clip_words(cache, "sd15/tokenizer"),
        "text_encoder_2": projected_clip(cache, large),
        "tokenizer_2": clip_words(cache, "sdxl/tokenizer_2"),
        "text_encoder_3": t5(small + large),
        "tokenizer_3": t5_tokenizer(),
        "vae": vae(1.5305, 0.0609),
        "scheduler": schedule(shift=3.0),
    }
    return Parts("StableDiffusion3Pipeline", parts)


def sd15(cache: Path) -> Parts:
    """Stable Diffusion 1.5, whose UNet lies alone."""
    torch.manual_seed(7)
    encoder, words = clip(cache)
    made = read_json(config_folder("sd15") / "unet" / "config.json")
    made |= {"block_out_channels": [32, 32, 64, 64], "layers_per_block": 1}
    unet = diffusers.UNet2DConditionModel.from_config(made | {"cross_attention_dim": WIDE})
    parts = {
        "unet": awake(unet),
        "text_encoder": encoder,
        "tokenizer": words,
        "vae": diffusers.AutoencoderKL(**LEVELS, latent_channels=4, scaling_factor=0.18215).eval(),
        "scheduler": diffusers.DDIMScheduler.from_pretrained(config_folder("sd15") / "scheduler"),
        **dict.fromkeys(("safety_checker", "feature_extractor")),
    }
    return Parts("StableDiffusionPipeline", parts)


# By the name of the transformer's file.
HOMES = {
    "flux1-dev": flux1,
    "Chroma1-HD": chroma,
    "z_image_turbo_bf16": z_image,
    "flux-2-klein-4b": klein,
    "qwen_image_bf16": qwen_image,
    "sd3.5_medium": sd35,
    "sd15_unet": sd15,
}
assert len(HOMES) == len(MAKES) + 1
