"""Single-file checkpoints, used where they lie: their networks are read straight out of the file.

No converted copy, no mapped file: each tensor is read and cast by itself (see `weights`), so that
loading takes the memory of the networks and the disk nothing.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import transformers
from diffusers.loaders.single_file_utils import (
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    create_diffusers_clip_model_from_ldm,
)
from torch import Tensor

from underpaint_daemon.common.caches import TOKENIZERS, used
from underpaint_daemon.common.contents.checkpoints import configs_of
from underpaint_daemon.common.denoisers.unets import deep_as, layers_per_level, shapes_of
from underpaint_daemon.common.model_files import broken, read_json
from underpaint_daemon.common.single_files import (
    UNET_PREFIX,
    VAE_PREFIX,
    Checkpoint,
    config_folder,
    vae_beside,
)

from ..families import Family
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
from .packing.packed import keep_packed
from .weights import WeightFile


def load_checkpoint(
    found: Checkpoint, family: Family, place: Device, cache: Path
) -> dict[str, Any]:
    """A checkpoint's parts by diffusers' names. Raises RequestError(MODEL_BROKEN)."""
    unet = _unet(found, configs_of(found), WeightFile(found.path), place)
    return {"unet": unet, **load_beside_unet(found, family, place, cache)}


def load_beside_unet(
    found: Checkpoint, family: Family, place: Device, cache: Path
) -> dict[str, Any]:
    """A checkpoint's parts but its UNet. Raises RequestError(MODEL_BROKEN)."""
    configs, file = configs_of(found), WeightFile(found.path)
    parts: dict[str, Any] = {"vae": _vae(found, configs, file, place)}
    for text in family.text_parts:
        kind = getattr(transformers, text.encoder_class)
        parts[text.encoder] = _text_encoder(kind, text.encoder, configs, found, file, place)
        folder = tokenizer_folder(configs / text.tokenizer, cache)
        parts[text.tokenizer] = load_tokenizer(folder)
    return parts


def _unet(found: Checkpoint, configs: Path, file: WeightFile, place: Device) -> Any:
    config = read_json(configs / "unet" / "config.json") | {"in_channels": found.channels}
    return unet_in(found.path, file, UNET_PREFIX, config, place)


def unet_in(
    path: Path, file: WeightFile, prefix: str, config: Mapping[str, Any], place: Device
) -> Any:
    """The UNet in a file, in latent-diffusion's layout. `prefix`: of its names. `config`: of its
    family, whatever its depth. Raises RequestError(MODEL_BROKEN)."""
    state = file.state(place.dtype, {prefix: UNET_PREFIX}, keep=True)
    config = {**config, "layers_per_block": layers_per_level(state, UNET_PREFIX)}
    return converted(diffusers.UNet2DConditionModel, config, state, path, place, _as_unet)


def _vae(found: Checkpoint, configs: Path, file: WeightFile, place: Device) -> Any:
    config = read_json(configs / "vae" / "config.json")
    path, prefixes = found.path, {VAE_PREFIX: VAE_PREFIX}
    if not found.vae:
        path = vae_beside(found.path)
        file, prefixes = WeightFile(path), {VAE_PREFIX: VAE_PREFIX, "": VAE_PREFIX}
    state = file.state(place.dtype, prefixes)
    first = state.get(f"{VAE_PREFIX}decoder.conv_in.weight")
    if first is None:
        broken(path, "is no VAE of Stable Diffusion's make", _VAE_HINT)
    here, there = first.shape[1], config["latent_channels"]
    if here != there:
        problem = f"is another family's VAE: its latents have {here} channels, the model's {there}"
        broken(path, problem, _VAE_HINT)
    return converted(diffusers.AutoencoderKL, config, state, path, place, _as_vae)


_CLIP, _CLIP_WORDS = "text_model.", "embeddings.token_embedding.weight"
_VAE_HINT = "Put the VAE there that the model was published with."


def _as_unet(state: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    converted: dict[str, Tensor] = convert_ldm_unet_checkpoint(state, config)
    return converted


def _as_vae(state: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    if f"{VAE_PREFIX}decoder.mid_block.resnets.0.conv1.weight" in state:
        return {name.removeprefix(VAE_PREFIX): tensor for name, tensor in state.items()}
    converted: dict[str, Tensor] = convert_ldm_vae_checkpoint(state, config)
    return converted


def converted(
    kind: Any,
    config: Mapping[str, Any],
    state: dict[str, Tensor],
    path: Path,
    place: Device,
    convert: Callable[[dict[str, Tensor], Mapping[str, Any]], dict[str, Tensor]],
) -> Any:
    """A network with the weights of `state`, which is emptied, by the names that `convert` gives
    them. Raises RequestError(MODEL_BROKEN)."""
    try:
        named = convert(state, config)
        if kind is diffusers.UNet2DConditionModel:
            config = deep_as(config, shapes_of(named))
        network = empty(lambda: kind.from_config(config))
    except LOAD_ERRORS as error:
        refuse_memory(error)
        broken(path, f"cannot be read as {kind.__name__}: {first_line(error)}")
    state.clear()
    keep_packed(network, named, place.dtype)
    return filled(network, named, path, place)


def _text_encoder(
    kind: Any, part: str, configs: Path, found: Checkpoint, file: WeightFile, place: Device
) -> Any:
    prefix = found.text_prefixes[part]
    state = _with_outermost(file.state(place.dtype, {prefix: prefix}), prefix)
    try:
        encoder = create_diffusers_clip_model_from_ldm(
            kind,
            state,
            subfolder=part,
            config=str(configs),
            torch_dtype=place.dtype,
            local_files_only=True,
        )
    except LOAD_ERRORS as error:
        refuse_memory(error)
        broken(found.path, f"has a text encoder that cannot be read: {first_line(error)}")
    missing = [name for name, tensor in encoder.named_parameters() if tensor.is_meta]
    if missing:
        broken(found.path, f"lacks {len(missing)} weights, {prefix}… {missing[0]} among them")
    state.clear()
    return ready(encoder, place)


def _with_outermost(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """With CLIP's outermost part in the names, which transformers leaves out since its fifth
    version, and so do those who convert what it has written."""
    inner = f"{prefix}{_CLIP}"
    if f"{prefix}{_CLIP_WORDS}" not in state or any(name.startswith(inner) for name in state):
        return state
    return {f"{inner}{name.removeprefix(prefix)}": tensor for name, tensor in state.items()}


def tokenizer_folder(folder: Path, cache: Path) -> Path:
    """`folder`, or where it has no vocabulary a copy in `cache` that has CLIP's."""
    if any((folder / name).is_file() for name in ("vocab.json", "tokenizer.json")):
        return folder
    copy = cache / TOKENIZERS / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    if not (copy / "merges.txt").is_file():
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        complete_tokenizer(copy)
    used(copy)
    return copy


def complete_tokenizer(folder: Path) -> None:
    """CLIP's vocabulary, unless the folder has one: 256 bytes, the same at a word's end, a token
    for each merge, and two marks (source: Radford et al. 2021, the released tokenizer)."""
    if any((folder / name).is_file() for name in ("vocab.json", "tokenizer.json")):
        return
    packed = config_folder("clip_merges.txt.xz").read_bytes()
    merges = lzma.decompress(packed).decode("utf-8")
    letters = _byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    tokens += ["".join(line.split()) for line in merges.splitlines()]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}", "utf-8")


def _byte_letters() -> list[str]:
    """A printable letter for each byte, in the order of their tokens: first those that are
    printable, then the others from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    printable += range(ord("®"), ord("ÿ") + 1)
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
