"""Small text encoders, and tokenizers made here: a letter is a token."""

from __future__ import annotations

from typing import Any

from tokenizers import pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

WIDTH = 32
_LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_PIECES = (
    "{% for message in messages %}{% if message['role'] == 'system' %}<|im_start|>{% endif %}"
    "{% for piece in message['content'] %}{{ piece['text'] }}{% endfor %}<|im_end|>{% endfor %}"
)
_MARKS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]


def clip_tokenizer() -> Any:
    """CLIP's, of single letters."""
    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    for token in [*_LETTERS, *(f"{letter}</w>" for letter in _LETTERS)]:
        vocabulary[token] = len(vocabulary)
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def clip_encoder(*, projection: bool = False, width: int = WIDTH) -> Any:
    """CLIP's text encoder, two layers."""
    config = CLIPTextConfig(
        vocab_size=len(clip_tokenizer()),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=width,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return (CLIPTextModelWithProjection if projection else CLIPTextModel)(config).eval()


def t5_tokenizer() -> Any:
    """T5's, of single letters."""
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    return T5Tokenizer(
        vocab=[*marks, *((letter, -3.0) for letter in _LETTERS)], model_max_length=512, extra_ids=0
    )


def t5_encoder() -> Any:
    """T5's encoder, two layers."""
    config = T5Config(
        vocab_size=len(t5_tokenizer()),
        d_model=WIDTH,
        d_kv=8,
        d_ff=2 * WIDTH,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
    )
    return T5EncoderModel(config).eval()


def qwen_tokenizer() -> Any:
    """Qwen's, of single bytes, with the marks of its chat."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*letters, *_MARKS])}
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=[], model_max_length=4096)
    tokenizer.add_special_tokens({"additional_special_tokens": _MARKS[1:]})
    tokenizer.chat_template = _CHAT
    return tokenizer


def _text_settings(layers: int) -> dict[str, Any]:
    return {
        "vocab_size": len(qwen_tokenizer()),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
    }


def qwen3_encoder(layers: int, *, language_head: bool) -> Any:
    """Qwen 3, as FLUX.2 Klein (with its head) and Z-Image (without) read it."""
    config = Qwen3Config(**_text_settings(layers), head_dim=8, tie_word_embeddings=True)
    return (Qwen3ForCausalLM if language_head else Qwen3Model)(config).eval()


def qwen25_vl() -> Any:
    """Qwen 2.5 VL, which sees pictures too."""
    tokenizer = qwen_tokenizer()
    marks = {
        f"{name}_token_id": tokenizer.convert_tokens_to_ids(token)
        for name, token in (
            ("vision_start", "<|vision_start|>"),
            ("vision_end", "<|vision_end|>"),
            ("image", "<|image_pad|>"),
            ("video", "<|video_pad|>"),
        )
    }
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6}
    config = Qwen2_5_VLConfig(
        text_config={**_text_settings(2), "rope_parameters": rope},
        vision_config={
            "depth": 2,
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_heads": 4,
            "out_hidden_size": WIDTH,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        **marks,
    )
    return Qwen2_5_VLForConditionalGeneration(config).eval()


def mistral_tokenizer() -> Any:
    """Mistral's, of single bytes, with a template of its kind: what is said comes in pieces."""
    tokenizer = qwen_tokenizer()
    tokenizer.chat_template = _PIECES
    return tokenizer


def mistral3(layers: int) -> Any:
    """Mistral 3, as FLUX.2 dev reads it. It could see pictures; nobody shows it any."""
    config = Mistral3Config(
        text_config={"model_type": "mistral", **_text_settings(layers), "head_dim": 8},
        vision_config={
            "model_type": "pixtral",
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "head_dim": 8,
            "image_size": 28,
            "patch_size": 14,
        },
        image_token_index=0,
    )
    return Mistral3ForConditionalGeneration(config).eval()
