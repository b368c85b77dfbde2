"""Text encoders by the shapes of their weights: what no shape tells is as their makers released
it."""

from __future__ import annotations

from typing import Any

import torch
import transformers

from underpaint_daemon.common.denoisers.loose import Shapes

_BIG_G = 1280
_HEAD = 64  # CLIP's and T5's heads; Qwen's are told by its norms, or are twice as wide


def layers(shapes: Shapes, start: str) -> int:
    """How many numbered blocks begin so."""
    numbered = [name.removeprefix(start) for name in shapes if name.startswith(start)]
    return max(int(name.partition(".")[0]) for name in numbered) + 1


def clip_config(shapes: Shapes) -> Any:
    """Of CLIP-L or CLIP-G."""
    words, wide = shapes["text_model.embeddings.token_embedding.weight"]
    return transformers.CLIPTextConfig(
        vocab_size=words,
        hidden_size=wide,
        intermediate_size=shapes["text_model.encoder.layers.0.mlp.fc1.weight"][0],
        num_hidden_layers=layers(shapes, "text_model.encoder.layers."),
        num_attention_heads=wide // _HEAD,
        max_position_embeddings=shapes["text_model.embeddings.position_embedding.weight"][0],
        projection_dim=shapes.get("text_projection.weight", (wide,))[0],
        # OpenAI's CLIP-L has an activation of its own; OpenCLIP's bigG has not.
        hidden_act="quick_gelu" if wide < _BIG_G else "gelu",
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=words - 1,
    )


def t5(shapes: Shapes) -> Any:
    """T5's encoder."""
    words, wide = shapes["shared.weight"]
    first = "encoder.block.0.layer"
    buckets, heads = shapes[f"{first}.0.SelfAttention.relative_attention_bias.weight"]
    config = transformers.T5Config(
        vocab_size=words,
        d_model=wide,
        d_kv=shapes[f"{first}.0.SelfAttention.q.weight"][0] // heads,
        d_ff=shapes[f"{first}.1.DenseReluDense.wi_0.weight"][0],
        num_layers=layers(shapes, "encoder.block."),
        num_heads=heads,
        relative_attention_num_buckets=buckets,
        feed_forward_proj="gated-gelu",
    )
    return transformers.T5EncoderModel(config)


def _language(shapes: Shapes, head: int) -> dict[str, Any]:
    """What language models tell alike."""
    words, wide = shapes["model.embed_tokens.weight"]
    first = "model.layers.0"
    return {
        "vocab_size": words,
        "hidden_size": wide,
        "intermediate_size": shapes[f"{first}.mlp.gate_proj.weight"][0],
        "num_hidden_layers": layers(shapes, "model.layers."),
        "num_attention_heads": shapes[f"{first}.self_attn.q_proj.weight"][0] // head,
        "num_key_value_heads": shapes[f"{first}.self_attn.k_proj.weight"][0] // head,
        "rms_norm_eps": 1e-6,
    }


def qwen3_config(shapes: Shapes) -> Any:
    """Of Qwen 3."""
    head = shapes["model.layers.0.self_attn.q_norm.weight"][0]
    return transformers.Qwen3Config(
        **_language(shapes, head),
        head_dim=head,
        max_position_embeddings=40960,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        tie_word_embeddings="lm_head.weight" not in shapes,
    )


_STILL = 4  # sides of a layer that looks at one moment
# Of a file that has no eyes: the least that a network is made of, of zeros, which nobody asks.
_BLIND: Shapes = {
    "visual.blocks.0.mlp.gate_proj.weight": (80, 80),
    "visual.patch_embed.proj.weight": (80, 3, 2, 14, 14),
}


def qwen_vl(shapes: Shapes) -> Any:
    """Qwen 2.5 VL."""
    head = 2 * _HEAD
    shapes = {**_BLIND, **shapes}
    inner = shapes["visual.blocks.0.mlp.gate_proj.weight"]
    outer = shapes["visual.patch_embed.proj.weight"]
    rope = {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6}
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            **_language(shapes, head),
            "max_position_embeddings": 128000,
            "rope_parameters": rope,
        },
        vision_config={
            "depth": layers(shapes, "visual.blocks."),
            "hidden_size": outer[0],
            "intermediate_size": inner[0],
            "num_heads": outer[0] // 80,
            "out_hidden_size": shapes["model.embed_tokens.weight"][1],
            "patch_size": outer[-1],
            # A file of its own (mmproj) has one half of it for each of two moments.
            "temporal_patch_size": outer[2] if len(outer) > _STILL else 2,
            "spatial_merge_size": 2,
            "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31],
        },
        vision_start_token_id=151652,
        vision_end_token_id=151653,
        image_token_id=151655,
        video_token_id=151656,
    )
    return transformers.Qwen2_5_VLForConditionalGeneration(config)


def mistral(shapes: Shapes) -> Any:
    """Mistral Small 3 without an end: what FLUX.2 reads are its layers as they are, the last one
    that is there, too."""
    config = transformers.MistralConfig(
        **{**_language(shapes, 2 * _HEAD), "rms_norm_eps": 1e-5},
        head_dim=2 * _HEAD,
        max_position_embeddings=131072,
        rope_parameters={"rope_type": "default", "rope_theta": 1e9},
        sliding_window=None,
    )
    model = transformers.MistralModel(config)
    model.norm = torch.nn.Identity()
    return model
