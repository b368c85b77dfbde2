"""LoRAs of text encoders, by the layers that they change."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.utils.peft_utils import recurse_remove_peft_layers

from .layers import A, B, State, check_shapes, cut

# Of LyCORIS the first encoder's layers may be the only ones that are named so.
_ENCODERS = {
    "text_encoder_2": ("lora_te2_", "lycoris_te2_", "text_encoder_2."),
    "text_encoder": (
        "lora_te_",
        "lora_te1_",
        "lycoris_te_",
        "lycoris_te1_",
        "lycoris_",
        "text_encoder.",
    ),
}
_CLIPS = "text_model."


def onto_encoders(pipe: Any, state: State, name: str) -> bool:
    """Put what changes text encoders on them, by PEFT itself: diffusers guesses who wrote it by
    the layers that are in it, and refuses what has few of them. `state`: without alphas. False,
    and nothing is done, unless all of it are layers of the pipeline's encoders by name.

    Raises RequestError(LORA_MISSING) for shapes that are not the layers'.
    """
    from peft import LoraConfig

    found: dict[str, dict[str, State]] = {}
    known = {part: _linear_in(getattr(pipe, part, None)) for part in _ENCODERS}
    for key, tensor in state.items():
        where, ending = cut(key)
        part = next((part for part, starts in _ENCODERS.items() if where.startswith(starts)), None)
        layer = None if part is None else known[part].get(_within(where, part))
        if part is None or layer is None or ending not in (A, B):
            return False
        found.setdefault(part, {}).setdefault(layer, {})[ending] = tensor
    if any(pair.keys() != {A, B} for layers in found.values() for pair in layers.values()):
        return False
    for part, layers in found.items():
        encoder = getattr(pipe, part)
        named = {
            f"{layer}.{end}": one for layer, pair in layers.items() for end, one in pair.items()
        }
        check_shapes(named, encoder, part)
        dtype = encoder.dtype
        ranks = {layer: len(pair[A]) for layer, pair in layers.items()}
        most = max(ranks.values())
        encoder.load_adapter(
            adapter_name=name,
            adapter_state_dict={name: one.to(dtype) for name, one in named.items()},
            peft_config=LoraConfig(
                r=most,
                lora_alpha=most,
                rank_pattern=ranks,
                alpha_pattern=ranks,
                target_modules=list(layers),
            ),
        )
    return True


def off_encoders(pipe: Any) -> None:
    """Take all LoRAs off its text encoders, of those also to which diffusers' loader for this
    pipeline puts none (FLUX.1's T5), and which its `unload_lora_weights` therefore leaves out."""
    for part in _ENCODERS:
        encoder = getattr(pipe, part, None)
        if encoder is not None and getattr(encoder, "peft_config", None):
            recurse_remove_peft_layers(encoder)
            del encoder.peft_config
            encoder._hf_peft_config_loaded = False


def _linear_in(encoder: Any) -> dict[str, str]:
    """An encoder's linear layers by their names with underscores, without CLIP's outermost part,
    which transformers leaves out since its fifth version."""
    modules = () if encoder is None else encoder.named_modules()
    linear = [name for name, one in modules if isinstance(one, torch.nn.Linear)]
    return {name.removeprefix(_CLIPS).replace(".", "_"): name for name in linear}


def _within(where: str, part: str) -> str:
    start = next(start for start in _ENCODERS[part] if where.startswith(start))
    return where.removeprefix(start).replace(".", "_").removeprefix("text_model_")
