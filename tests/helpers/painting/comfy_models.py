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
from underpaint_daemon.common.single_files import config_folder
from underpaint_daemon.tools.miniatures.parts import awake
from underpaint_daemon.tools.miniatures.texts import qwen_tokenizer, t5_tokenizer
from underpaint_daemon.worker.pipelines.loading.checkpoint import tokenizer_folder

from .comfy_home import MISTRALS_CHAT, Parts, tekken

_WIDE = 64
_STREAM: dict[str, Any] = {
    "num_layers": 1,
    "num_single_layers": 1,
    "attention_head_dim": 128,
    "num_attention_heads": 1,
}
_LEVELS: dict[str, Any] = {
    "block_out_channels": (32, 32, 64, 64),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 1,
}


def _schedule(**more: Any) -> Any:
    return diffusers.FlowMatchEulerDiscreteScheduler(**more)


def _vae(scale: float = 0.3611, shift: float = 0.1159) -> Any:
    return diffusers.AutoencoderKL(
        **_LEVELS,
        latent_channels=16,
        scaling_factor=scale,
        shift_factor=shift,
        use_quant_conv=False,
        use_post_quant_conv=False,
    ).eval()


def _clip(cache: Path) -> tuple[Any, Any]:
    tokenizer = transformers.CLIPTokenizer.from_pretrained(
        tokenizer_folder(config_folder("sd15") / "tokenizer", cache)
    )
    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_WIDE,
        intermediate_size=2 * _WIDE,
        num_hidden_layers=1,
        num_attention_heads=1,
        projection_dim=_WIDE,
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=49407,
    )
    return transformers.CLIPTextModel(config).eval(), tokenizer


def _t5(wide: int = _WIDE) -> Any:
    config = transformers.T5Config(
        vocab_size=len(t5_tokenizer()),
        d_model=wide,
        d_kv=32,
        d_ff=2 * _WIDE,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    return transformers.T5EncoderModel(config).eval()


def _qwen3(layers: int) -> Any:
    return transformers.Qwen3Config(
        vocab_size=len(qwen_tokenizer()),
        hidden_size=_WIDE,
        intermediate_size=2 * _WIDE,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=40960,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        tie_word_embeddings=True,
    )


def flux1(cache: Path) -> Parts:
    """FLUX.1 dev."""
    torch.manual_seed(1)
    clip, words = _clip(cache)
    transformer = diffusers.FluxTransformer2DModel(
        **_STREAM,
        joint_attention_dim=_WIDE,
        pooled_projection_dim=_WIDE,
        guidance_embeds=True,
    )
    return Parts(
        "FluxPipeline",
        {
            "transformer": awake(transformer),
            "text_encoder": clip,
            "tokenizer": words,
            "text_encoder_2": _t5(),
            "tokenizer_2": t5_tokenizer(),
            "vae": _vae(),
            "scheduler": _schedule(shift=3.0, use_dynamic_shifting=True),
        },
    )


def chroma(cache: Path) -> Parts:
    del cache
    torch.manual_seed(2)
    transformer = diffusers.ChromaTransformer2DModel(
        **_STREAM, joint_attention_dim=_WIDE, approximator_hidden_dim=32, approximator_layers=1
    )
    parts = {
        "transformer": awake(transformer),
        "text_encoder": _t5(),
        "tokenizer": t5_tokenizer(),
        "vae": _vae(),
        "scheduler": _schedule(shift=3.0),
    }
    return Parts("ChromaPipeline", parts)


def z_image(cache: Path) -> Parts:
    """Turbo."""
    del cache
    torch.manual_seed(3)
    transformer = diffusers.ZImageTransformer2DModel(
        dim=128, n_layers=1, n_refiner_layers=1, n_heads=1, n_kv_heads=1, cap_feat_dim=_WIDE
    )
    parts = {
        "transformer": awake(transformer),
        "text_encoder": transformers.Qwen3Model(_qwen3(2)).eval(),
        "tokenizer": qwen_tokenizer(),
        "vae": _vae(),
        "scheduler": _schedule(shift=3.0),
    }
    return Parts("ZImagePipeline", parts)


def klein(cache: Path) -> Parts:
    """FLUX.2 Klein, whose pipeline reads its encoder's layers 9, 18 and 27."""
    del cache
    torch.manual_seed(4)
    transformer = diffusers.Flux2Transformer2DModel(
        **_STREAM, joint_attention_dim=3 * _WIDE, guidance_embeds=False
    )
    parts = {
        "transformer": awake(transformer),
        "text_encoder": transformers.Qwen3ForCausalLM(_qwen3(28)).eval(),
        "tokenizer": _thinking(qwen_tokenizer()),
        "vae": diffusers.AutoencoderKLFlux2(**_LEVELS).eval(),
        "scheduler": _schedule(shift=3.0, use_dynamic_shifting=True),
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
            "hidden_size": _WIDE,
            "intermediate_size": _WIDE,
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
        **_STREAM, joint_attention_dim=3 * _WIDE, guidance_embeds=True
    )
    parts = {
        "transformer": awake(transformer),
        "text_encoder": transformers.Mistral3ForConditionalGeneration(config).eval(),
        "tokenizer": words,
        "vae": diffusers.AutoencoderKLFlux2(**_LEVELS).eval(),
        "scheduler": _schedule(shift=3.0, use_dynamic_shifting=True),
    }
    return Parts("Flux2Pipeline", parts)


def _thinking(tokenizer: Any) -> Any:
    """With the end of Qwen 3's template for a question that is answered without thought."""
    end = "<|im_start|>assistant\n"
    thought = f"{end}<think>\n\n</think>\n\n"
    tokenizer.chat_template = tokenizer.chat_template.replace(end, thought)
    return tokenizer


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
        "scheduler": _schedule(
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
    first = _projected(cache, small)
    torch.nn.init.eye_(first.text_projection.weight)
    parts = {
        "transformer": awake(transformer),
        "text_encoder": first,
        "tokenizer": _clip_words(cache, "sd15/tokenizer"),
        "text_encoder_2": _projected(cache, large),
        "tokenizer_2": _clip_words(cache, "sdxl/tokenizer_2"),
        "text_encoder_3": _t5(small + large),
        "tokenizer_3": t5_tokenizer(),
        "vae": _vae(1.5305, 0.0609),
        "scheduler": _schedule(shift=3.0),
    }
    return Parts("StableDiffusion3Pipeline", parts)


def _clip_words(cache: Path, name: str) -> Any:
    folder = tokenizer_folder(config_folder(name), cache)
    return transformers.CLIPTokenizer.from_pretrained(folder)


def _projected(cache: Path, wide: int) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=len(_clip_words(cache, "sd15/tokenizer")),
        hidden_size=wide,
        intermediate_size=2 * _WIDE,
        num_hidden_layers=2,
        num_attention_heads=wide // 64,
        projection_dim=wide,
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=49407,
    )
    return transformers.CLIPTextModelWithProjection(config).eval()


# By the name of the transformer's file.
HOMES = {
    "flux1-dev": flux1,
    "Chroma1-HD": chroma,
    "z_image_turbo_bf16": z_image,
    "flux-2-klein-4b": klein,
    "qwen_image_bf16": qwen_image,
    "sd3.5_medium": sd35,
}
assert len(HOMES) == len(MAKES)
