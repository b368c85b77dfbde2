"""Text encoders and VAEs from single files, as ComfyUI keeps them: what no shape tells of them is
as their makers released it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import diffusers
import torch
import transformers
from diffusers.loaders.single_file_utils import (
    convert_ldm_vae_checkpoint,
    convert_wan_vae_to_diffusers,
)

from underpaint_daemon.common.denoisers.loose import Loose, Shapes
from underpaint_daemon.common.model_files import broken

from .networks import LOAD_ERRORS, Device, empty, filled, first_line, refuse_memory
from .packed import keep_packed
from .weights import WeightFile

State = dict[str, Any]
_TABLES = ("shared.weight", "embed_tokens.weight")
_BIG_G = 1280
_HEAD = 64  # CLIP's and T5's heads; Qwen's are told by its norms, or are twice as wide


def load_loose(part: Loose, network: str, place: Device, of: str) -> Any:
    """A text encoder or VAE of a class from its file, for a model `of` a make.

    Raises RequestError(MODEL_BROKEN).
    """
    make, named = _KINDS.get(f"{of}: {network}", _KINDS[network])
    file = WeightFile(part.path)
    known = set(file.names)
    state: dict[str, Any] = {
        name: file.packed(true) or file.tensor(true, place.dtype)
        for name, true in part.names.items()
        if true in known
    }
    try:
        made = empty(lambda: make(part.shapes))
        state = named(state, made)
        keep_packed(made, state, place.dtype)
    except LOAD_ERRORS as error:
        refuse_memory(error)
        broken(part.path, f"cannot be read as {network}: {first_line(error)}")
    found = filled(made, state, part.path, place)
    if hasattr(found, "tie_weights"):
        found.tie_weights()
    return found


def _layers(shapes: Shapes, start: str) -> int:
    numbered = [name.removeprefix(start) for name in shapes if name.startswith(start)]
    return max(int(name.partition(".")[0]) for name in numbered) + 1


def _clip_config(shapes: Shapes) -> Any:
    words, wide = shapes["text_model.embeddings.token_embedding.weight"]
    return transformers.CLIPTextConfig(
        vocab_size=words,
        hidden_size=wide,
        intermediate_size=shapes["text_model.encoder.layers.0.mlp.fc1.weight"][0],
        num_hidden_layers=_layers(shapes, "text_model.encoder.layers."),
        num_attention_heads=wide // _HEAD,
        max_position_embeddings=shapes["text_model.embeddings.position_embedding.weight"][0],
        projection_dim=shapes.get("text_projection.weight", (wide,))[0],
        # OpenAI's CLIP-L has an activation of its own; OpenCLIP's bigG has not.
        hidden_act="quick_gelu" if wide < _BIG_G else "gelu",
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=words - 1,
    )


def _t5(shapes: Shapes) -> Any:
    words, wide = shapes["shared.weight"]
    first = "encoder.block.0.layer"
    buckets, heads = shapes[f"{first}.0.SelfAttention.relative_attention_bias.weight"]
    config = transformers.T5Config(
        vocab_size=words,
        d_model=wide,
        d_kv=shapes[f"{first}.0.SelfAttention.q.weight"][0] // heads,
        d_ff=shapes[f"{first}.1.DenseReluDense.wi_0.weight"][0],
        num_layers=_layers(shapes, "encoder.block."),
        num_heads=heads,
        relative_attention_num_buckets=buckets,
        feed_forward_proj="gated-gelu",
    )
    return transformers.T5EncoderModel(config)


def _language(shapes: Shapes, head: int) -> dict[str, Any]:
    """What Qwen's language models tell alike."""
    words, wide = shapes["model.embed_tokens.weight"]
    first = "model.layers.0"
    return {
        "vocab_size": words,
        "hidden_size": wide,
        "intermediate_size": shapes[f"{first}.mlp.gate_proj.weight"][0],
        "num_hidden_layers": _layers(shapes, "model.layers."),
        "num_attention_heads": shapes[f"{first}.self_attn.q_proj.weight"][0] // head,
        "num_key_value_heads": shapes[f"{first}.self_attn.k_proj.weight"][0] // head,
        "rms_norm_eps": 1e-6,
    }


def _qwen3_config(shapes: Shapes) -> Any:
    head = shapes["model.layers.0.self_attn.q_norm.weight"][0]
    return transformers.Qwen3Config(
        **_language(shapes, head),
        head_dim=head,
        max_position_embeddings=40960,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        tie_word_embeddings="lm_head.weight" not in shapes,
    )


# Of a file that has no eyes: the least that a network is made of, of zeros, which nobody asks.
_BLIND: Shapes = {
    "visual.blocks.0.mlp.gate_proj.weight": (80, 80),
    "visual.patch_embed.proj.weight": (80, 3, 2, 14, 14),
}


def _qwen_vl(shapes: Shapes) -> Any:
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
            "depth": _layers(shapes, "visual.blocks."),
            "hidden_size": outer[0],
            "intermediate_size": inner[0],
            "num_heads": outer[0] // 80,
            "out_hidden_size": shapes["model.embed_tokens.weight"][1],
            "patch_size": outer[-1],
            "temporal_patch_size": outer[2],
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


def _vae_config(shapes: Shapes) -> dict[str, Any]:
    """Of the layout that Stable Diffusion's VAE has, or diffusers'."""
    ours = "encoder.down_blocks." if "encoder.mid_block.resnets.0.conv1.weight" in shapes else ""
    start, block, conv = ours or "encoder.down.", "resnets" if ours else "block", "conv1.weight"
    levels = _layers(shapes, start)
    return {
        "block_out_channels": [shapes[f"{start}{i}.{block}.0.{conv}"][0] for i in range(levels)],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": _layers(shapes, f"{start}0.{block}."),
        "latent_channels": shapes["decoder.conv_in.weight"][1],
        "sample_size": 1024,
    }


def _vae(shapes: Shapes, scale: float, shift: float) -> Any:
    """`scale`, `shift`: of its latents, as its makers measured them."""
    return diffusers.AutoencoderKL(
        **_vae_config(shapes),
        scaling_factor=scale,
        shift_factor=shift,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def _qwen_vae(shapes: Shapes) -> Any:
    """The means and spreads of its latents are its class' own."""
    base = shapes["encoder.conv1.weight"][0]
    return diffusers.AutoencoderKLQwenImage(base_dim=base, z_dim=shapes["decoder.conv1.weight"][1])


def as_it_is(state: State, made: Any) -> State:
    """Under the names that the network has for them, whatever stands before; a table of words that
    two layers share is written once."""
    wanted = made.state_dict()
    found = {_nearest(name, wanted): tensor for name, tensor in state.items()}
    words = next((t for name, t in found.items() if name.endswith(_TABLES)), None)
    for name in ("encoder.embed_tokens.weight", "lm_head.weight"):
        if name in wanted and name not in found and words is not None:
            found[name] = words
    return found


def _as_projected(state: State, made: Any) -> State:
    """CLIP-L is shared without its projection, and Stable Diffusion 3 was trained without it."""
    found = as_it_is(state, made)
    wide = made.config.projection_dim
    return {"text_projection.weight": torch.eye(wide), **found}


def _as_qwen_vl(state: State, made: Any) -> State:
    found = as_it_is(state, made)
    if not any(name.startswith("model.visual.") for name in found):
        blind = {n: t for n, t in made.state_dict().items() if n.startswith("model.visual.")}
        found |= {name: torch.zeros(empty_one.shape) for name, empty_one in blind.items()}
    return found


def _nearest(name: str, wanted: Mapping[str, Any]) -> str:
    tries = (
        name,
        name.removeprefix("model."),
        name.removeprefix("text_model."),
        f"model.{name}",
        f"model.language_model.{name.removeprefix('model.')}",
    )
    return next((one for one in tries if one in wanted), name)


def _as_vae(state: State, made: Any) -> State:
    """FLUX.2's has its quantising layers within encoder and decoder."""
    if "encoder.mid_block.resnets.0.conv1.weight" in state:
        return state
    lifted = {
        name.replace("encoder.quant_", "quant_").replace("decoder.post_quant_", "post_quant_"): one
        for name, one in state.items()
    }
    rest = {name: tensor for name, tensor in lifted.items() if name.startswith("bn.")}
    return {**convert_ldm_vae_checkpoint(lifted, made.config), **rest}


def _as_wan_vae(state: State, made: Any) -> State:
    del made
    found: State = convert_wan_vae_to_diffusers(state)
    return found


_Kind = tuple[Callable[[Shapes], Any], Callable[[State, Any], State]]
_KINDS: Mapping[str, _Kind] = {
    "CLIPTextModel": (
        lambda shapes: transformers.CLIPTextModel(_clip_config(shapes)),
        as_it_is,
    ),
    "CLIPTextModelWithProjection": (
        lambda shapes: transformers.CLIPTextModelWithProjection(_clip_config(shapes)),
        _as_projected,
    ),
    "T5EncoderModel": (_t5, as_it_is),
    "Qwen3Model": (lambda shapes: transformers.Qwen3Model(_qwen3_config(shapes)), as_it_is),
    "Qwen3ForCausalLM": (
        lambda shapes: transformers.Qwen3ForCausalLM(_qwen3_config(shapes)),
        as_it_is,
    ),
    "Qwen2_5_VLForConditionalGeneration": (_qwen_vl, _as_qwen_vl),
    "AutoencoderKL": (lambda shapes: _vae(shapes, 0.3611, 0.1159), _as_vae),
    "Stable Diffusion 3: AutoencoderKL": (lambda shapes: _vae(shapes, 1.5305, 0.0609), _as_vae),
    "AutoencoderKLFlux2": (
        lambda shapes: diffusers.AutoencoderKLFlux2(**_vae_config(shapes)),
        _as_vae,
    ),
    "AutoencoderKLQwenImage": (_qwen_vae, _as_wan_vae),
}
