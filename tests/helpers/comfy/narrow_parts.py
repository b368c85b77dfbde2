"""The narrow parts that models of this room share: schedules, VAEs, text encoders, tokenizers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import transformers

from underpaint_daemon.common.single_files import config_folder
from underpaint_daemon.tools.miniatures.texts import qwen_tokenizer, t5_tokenizer
from underpaint_daemon.worker.pipelines.loading.checkpoint import tokenizer_folder

WIDE = 64
LEVELS: dict[str, Any] = {
    "block_out_channels": (32, 32, 64, 64),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 1,
}


def schedule(**more: Any) -> Any:
    return diffusers.FlowMatchEulerDiscreteScheduler(**more)


def vae(scale: float = 0.3611, shift: float = 0.1159) -> Any:
    return diffusers.AutoencoderKL(
        **LEVELS,
        latent_channels=16,
        scaling_factor=scale,
        shift_factor=shift,
        use_quant_conv=False,
        use_post_quant_conv=False,
    ).eval()


def clip(cache: Path) -> tuple[Any, Any]:
    tokenizer = transformers.CLIPTokenizer.from_pretrained(
        tokenizer_folder(config_folder("sd15") / "tokenizer", cache)
    )
    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDE,
        intermediate_size=2 * WIDE,
        num_hidden_layers=1,
        num_attention_heads=1,
        projection_dim=WIDE,
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=49407,
    )
    return transformers.CLIPTextModel(config).eval(), tokenizer


def t5(wide: int = WIDE) -> Any:
    config = transformers.T5Config(
        vocab_size=len(t5_tokenizer()),
        d_model=wide,
        d_kv=32,
        d_ff=2 * WIDE,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    return transformers.T5EncoderModel(config).eval()


def qwen3(layers: int) -> Any:
    return transformers.Qwen3Config(
        vocab_size=len(qwen_tokenizer()),
        hidden_size=WIDE,
        intermediate_size=2 * WIDE,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=40960,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        tie_word_embeddings=True,
    )


def thinking(tokenizer: Any) -> Any:
    """With the end of Qwen 3's template for a question that is answered without thought."""
    end = "<|im_start|>assistant\n"
    thought = f"{end}<think>\n\n</think>\n\n"
    tokenizer.chat_template = tokenizer.chat_template.replace(end, thought)
    return tokenizer


def clip_words(cache: Path, name: str) -> Any:
    folder = tokenizer_folder(config_folder(name), cache)
    return transformers.CLIPTokenizer.from_pretrained(folder)


def projected_clip(cache: Path, wide: int) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=len(clip_words(cache, "sd15/tokenizer")),
        hidden_size=wide,
        intermediate_size=2 * WIDE,
        num_hidden_layers=2,
        num_attention_heads=wide // 64,
        projection_dim=wide,
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=49407,
    )
    return transformers.CLIPTextModelWithProjection(config).eval()
