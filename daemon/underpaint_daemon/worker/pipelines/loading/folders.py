"""Networks from their folders, as diffusers and transformers lay them out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import transformers

from underpaint_daemon.common.contents.unread import PLAIN_HINT
from underpaint_daemon.common.model_files import (
    broken,
    quantised_by,
    read_json,
    variant_of,
    weight_files,
)

from ..families import Family
from .loose import as_it_is
from .networks import (
    LOAD_ERRORS,
    Device,
    empty,
    filled,
    first_line,
    load_tokenizer,
    ready,
    refuse_memory,
)
from .packing.packed import OWN, keep_packed
from .weights import WeightFile


def load_network(kind: Any, folder: Path, place: Device) -> Any:
    """A diffusers or transformers network from its folder.

    Raises RequestError(MODEL_BROKEN) when weights are missing or of other shapes.
    """
    method = quantised_by(folder)
    if method is None:
        network = _kept_packed(kind, folder, place)
        if network is not None:
            return network
    try:
        network, report = kind.from_pretrained(
            str(folder),
            dtype=place.dtype,
            variant=variant_of(folder),
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except LOAD_ERRORS as error:
        refuse_memory(error)
        problem = f"cannot be loaded: {first_line(error)}"
        broken(folder, problem, PLAIN_HINT if method else None)
    missing = sorted(report["missing_keys"])
    if missing:
        broken(folder, f"lacks {len(missing)} weights, {missing[0]} among them")
    return ready(network, place)


def load_beside_unet_of(folder: Path, family: Family, place: Device) -> dict[str, Any]:
    """The parts of a Stable Diffusion's folder but its UNet. Raises RequestError(MODEL_BROKEN)."""
    parts: dict[str, Any] = {"vae": load_network(diffusers.AutoencoderKL, folder / "vae", place)}
    for text in family.text_parts:
        kind = getattr(transformers, text.encoder_class)
        parts[text.encoder] = load_network(kind, folder / text.encoder, place)
        parts[text.tokenizer] = load_tokenizer(folder / text.tokenizer)
    return parts


def _kept_packed(kind: Any, folder: Path, place: Device) -> Any:
    """From weights in fp8, or as ComfyUI quantises them, which stay so in memory (the libraries
    would widen them, and pass over scales that stand beside them). None of all other weights, and
    where transformers writes a network's weights by other names than it holds them, unless they
    have scales."""
    files = [WeightFile(file) for file in weight_files(folder)]
    scaled = any(file.scaled for file in files)
    if not scaled and all(file.kind(name) not in OWN for file in files for name in file.names):
        return None
    try:
        network = empty(lambda: _unfilled(kind, folder))
    except LOAD_ERRORS as error:
        refuse_memory(error)
        broken(folder, f"cannot be loaded: {first_line(error)}")
    state: dict[str, Any] = {}
    for file in files:
        state |= file.state(place.dtype, keep=True)
    if not hasattr(kind, "from_config"):
        state = as_it_is(state, network)
        if not scaled and network.state_dict().keys() - state.keys():
            return None
    # Pipelines ask a VAE's layers for their type; it is small.
    keep_packed(network, state, place.dtype, packs=not hasattr(network, "decode"))
    found = filled(network, state, folder, place)
    if hasattr(found, "tie_weights"):
        found.tie_weights()
    return found


def _unfilled(kind: Any, folder: Path) -> Any:
    if hasattr(kind, "from_config"):
        return kind.from_config(read_json(folder / "config.json"))
    return kind(kind.config_class.from_pretrained(str(folder), local_files_only=True))
