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
from underpaint_daemon.common.model_files import broken, read_json
from underpaint_daemon.common.single_files import config_folder

from .encoders.configs import clip_config, layers, mistral, qwen3_config, qwen_vl, t5
from .encoders.eyes import eyes_of
from .encoders.rows import rows_as_released
from .networks import LOAD_ERRORS, Device, empty, filled, first_line, refuse_memory
from .packing.packed import keep_packed
from .weights import WeightFile

State = dict[str, Any]
_TABLES = ("shared.weight", "embed_tokens.weight")


def load_loose(part: Loose, network: str, place: Device, of: str) -> Any:
    """A text encoder or VAE of a class from its file, for a model `of` a make.

    Raises RequestError(MODEL_BROKEN).
    """
    make, named = _KINDS.get(f"{of}: {network}", _KINDS[network])
    state = WeightFile(part.path).named(part.names, place.dtype)
    try:
        made = empty(lambda: make(part.shapes))
        if part.in_pairs:
            state = rows_as_released(state, made.config)
        if part.eyes is not None:
            state |= eyes_of(part.eyes, place.dtype)
        state = named(state, made)
        keep_packed(made, state, place.dtype)
    except LOAD_ERRORS as error:
        refuse_memory(error)
        broken(part.path, f"cannot be read as {network}: {first_line(error)}")
    found = filled(made, state, part.path, place)
    if hasattr(found, "tie_weights"):
        found.tie_weights()
    return found


def _vae_config(shapes: Shapes) -> dict[str, Any]:
    """Of the layout that Stable Diffusion's VAE has, or diffusers'."""
    ours = "encoder.down_blocks." if "encoder.mid_block.resnets.0.conv1.weight" in shapes else ""
    start, block, conv = ours or "encoder.down.", "resnets" if ours else "block", "conv1.weight"
    levels = layers(shapes, start)
    return {
        "block_out_channels": [shapes[f"{start}{i}.{block}.0.{conv}"][0] for i in range(levels)],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": layers(shapes, f"{start}0.{block}."),
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


def _sd_vae(shapes: Shapes, family: str) -> Any:
    """What its shapes do not tell is as it was released with a family."""
    told = read_json(config_folder(family) / "vae" / "config.json")
    made = {**told, **_vae_config(shapes), "sample_size": told["sample_size"]}
    return diffusers.AutoencoderKL.from_config(made)


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
        lambda shapes: transformers.CLIPTextModel(clip_config(shapes)),
        as_it_is,
    ),
    "CLIPTextModelWithProjection": (
        lambda shapes: transformers.CLIPTextModelWithProjection(clip_config(shapes)),
        _as_projected,
    ),
    "T5EncoderModel": (t5, as_it_is),
    "Qwen3Model": (lambda shapes: transformers.Qwen3Model(qwen3_config(shapes)), as_it_is),
    "Qwen3ForCausalLM": (
        lambda shapes: transformers.Qwen3ForCausalLM(qwen3_config(shapes)),
        as_it_is,
    ),
    "MistralModel": (mistral, as_it_is),
    "Qwen2_5_VLForConditionalGeneration": (qwen_vl, _as_qwen_vl),
    "AutoencoderKL": (lambda shapes: _vae(shapes, 0.3611, 0.1159), _as_vae),
    "Stable Diffusion 3: AutoencoderKL": (lambda shapes: _vae(shapes, 1.5305, 0.0609), _as_vae),
    "Stable Diffusion 1.5: AutoencoderKL": (lambda shapes: _sd_vae(shapes, "sd15"), _as_vae),
    "Stable Diffusion XL: AutoencoderKL": (lambda shapes: _sd_vae(shapes, "sdxl"), _as_vae),
    "AutoencoderKLFlux2": (
        lambda shapes: diffusers.AutoencoderKLFlux2(**_vae_config(shapes)),
        _as_vae,
    ),
    "AutoencoderKLQwenImage": (_qwen_vae, _as_wan_vae),
}
