"""A LoRA's file as it was trained: its tensors, at the strength that is said beside them.

Kohya's trainer writes an `alpha` for each layer. PEFT, and diffusers' own trainers, write none:
they say it once, PEFT in the `adapter_config.json` beside the file, diffusers in the file's header.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import load_file

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.lora_files import BUNDLED, plain_name
from underpaint_daemon.common.model_files import read_json

from .layers import ALPHA, A, B, State, cut
from .names import without_prefix

_CONFIG, _KEY = "adapter_config.json", "lora_adapter_metadata"
_OF_PARTS = ("unet.", "transformer.", "text_encoder.", "text_encoder_2.", "text_encoder_3.")
Said = dict[str, Any]


def read_lora(file: Path) -> State:
    """A LoRA's tensors by plain names, without alphas that are said beside them, and without the
    embeddings that come in one file with it.

    Raises RequestError(LORA_MISSING), and what safetensors raises.
    """
    state = State()
    for name, tensor in load_file(file).items():
        plain = plain_name(name)
        if plain in state:
            told = "it holds several LoRAs, of which one at a time can be laid on"
            raise RequestError(ErrorCode.LORA_MISSING, told)
        if not name.startswith(BUNDLED):
            state[plain] = tensor
    for name, scale in _scales(state, _said(file)):
        state[name] = (state[name].float() * scale).to(state[name].dtype)
    return state


def _scales(state: State, said: Mapping[str, Said]) -> Iterator[tuple[str, float]]:
    """The tensors that what is said changes, and by how much."""
    if not said:
        return
    named = {cut(name): name for name in state}
    for (layer, ending), name in named.items():
        part, inner = _part(layer)
        config = said.get(part, said.get(""))
        if ending != B or config is None or (layer, ALPHA) in named or (layer, A) not in named:
            continue
        rank = state[named[layer, A]].shape[0]
        scale = _scale(config, inner, rank) if rank else 1.0
        if scale != 1:
            yield name, scale


def _scale(config: Said, layer: str, rank: int) -> float:
    alpha = _of_layer(config.get("alpha_pattern"), layer, config.get("lora_alpha"))
    if not isinstance(alpha, int | float):
        return 1.0
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _of_layer(patterns: Any, layer: str, usual: Any) -> Any:
    """As PEFT reads its patterns: ends of layers' names, or regular expressions."""
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        try:
            if re.match(rf"(.*\.)?({pattern})$", layer):
                return value
        except re.error:
            continue
    return usual


def _part(layer: str) -> tuple[str, str]:
    """The part of a model that a layer's name begins with, and the rest of the name."""
    part = next((start for start in _OF_PARTS if layer.startswith(start)), "")
    return part.removesuffix("."), without_prefix(layer.removeprefix(part))


def _said(file: Path) -> dict[str, Said]:
    """What is said beside a LoRA's tensors, by the part of the model; "" for whatever it is."""
    with safe_open(file, framework="pt") as opened:
        told = (opened.metadata() or {}).get(_KEY)
    if told:
        return _by_part(told)
    config = file.parent / _CONFIG
    named = file.stem.startswith("adapter_model") or len([*file.parent.glob("*.safetensors")]) == 1
    return {"": read_json(config)} if named and config.is_file() else {}


def _by_part(told: str) -> dict[str, Said]:
    try:
        said = json.loads(told)
    except ValueError:
        return {}
    found: dict[str, Said] = {}
    for key, value in said.items() if isinstance(said, dict) else ():
        part = next((start for start in _OF_PARTS if key.startswith(start)), "")
        found.setdefault(part.removesuffix("."), {})[key.removeprefix(part)] = value
    return found
