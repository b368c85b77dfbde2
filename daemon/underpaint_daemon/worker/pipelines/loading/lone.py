"""A transformer or UNet from a file that holds nothing else, in the maker's layout or diffusers',
plain or packed as GGUF packs it; and the model around it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from torch import Tensor

from underpaint_daemon.common.denoisers.files import Denoiser
from underpaint_daemon.common.denoisers.whole import Rest
from underpaint_daemon.common.model_files import broken

from ..families import Family
from .checkpoint import converted, load_beside_unet, tokenizer_folder, unet_in
from .digests import model_digest
from .folders import load_beside_unet_of, load_network
from .layouts import LAYOUTS, Take, takes
from .loose import load_loose
from .networks import (
    LOAD_ERRORS,
    Device,
    empty,
    first_line,
    load_tokenizer,
    ready,
    refuse_memory,
)
from .packing.packed import Packed, put_in
from .parts import load_part
from .weights import WeightFile

_CLIP, _QWEN_3 = "CLIPTokenizer", "Qwen3"
# How Qwen 3 reads a single question (its published template, without tools); ComfyUI has only
# Qwen 2.5's, which begins with words of its own.
_CHAT = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + "
    "'<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and not enable_thinking %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
_KEPT = 4  # a layer's weight and bias, of both streams


def load_lone(found: Denoiser, rest: Rest, place: Device, cache: Path) -> dict[str, Any]:
    """A model's parts by diffusers' names, of which a file has the transformer.

    Raises RequestError(MODEL_BROKEN).
    """
    transformer = load_transformer(found, rest.config, place)
    parts = {"transformer": transformer, **_others(found, rest, place, cache)}
    if rest.loose and _QWEN_3 in type(parts["text_encoder"]).__name__:
        parts["tokenizer"].chat_template = _CHAT
    return parts


def _others(found: Denoiser, rest: Rest, place: Device, cache: Path) -> dict[str, Any]:
    """The parts around it, from files and folders."""

    def network(kind: Any, folder: Path) -> Any:
        return load_network(kind, folder, place)

    parts = dict[str, Any]()
    for name, folder in rest.places.items():
        library, kind = rest.index[name]
        if name in rest.loose:
            parts[name] = load_loose(rest.loose[name], kind, place, found.make.name)
        elif kind == _CLIP:
            parts[name] = load_tokenizer(tokenizer_folder(folder, cache))
        else:
            parts[name] = load_part(folder, library, kind, network)
    return parts


def load_with_unet(
    found: Denoiser, rest: Rest, family: Family, place: Device, cache: Path
) -> dict[str, Any]:
    """A model's parts by diffusers' names, of which a file has the UNet; the others are a folder's,
    a whole checkpoint's, or lie in files. Raises RequestError(MODEL_BROKEN)."""
    parts = {"unet": _unet(found, rest.config, place)}
    if rest.checkpoint is not None:
        return {**parts, **load_beside_unet(rest.checkpoint, family, place, cache)}
    if rest.base is None:
        return {**parts, **_others(found, rest, place, cache)}
    return {**parts, **load_beside_unet_of(rest.base, family, place)}


def _unet(found: Denoiser, config: Mapping[str, Any], place: Device) -> Any:
    file, kind = WeightFile(found.path), diffusers.UNet2DConditionModel
    if found.original:
        return unet_in(found.path, file, found.prefix, config, place)
    state = file.state(place.dtype, {found.prefix: ""}, keep=True)
    return converted(kind, config, state, found.path, place, lambda named, _: dict(named))


def load_transformer(found: Denoiser, config: Mapping[str, Any], place: Device) -> Any:
    """The network in a file. Raises RequestError(MODEL_BROKEN)."""
    kind = getattr(diffusers, found.make.network)
    try:
        network = empty(lambda: kind.from_config(dict(config)))
    except LOAD_ERRORS as error:
        refuse_memory(error)
        broken(found.path, f"cannot be read as {found.make.network}: {first_line(error)}")
    _fill(network, found, place)
    return ready(network, place)


def lone_digest(found: Denoiser, rest: Rest, cache: Path) -> str:
    """sha256 (hex) over the file and all the other parts."""
    total = hashlib.sha256(model_digest(found.path, cache).encode())
    for name, place in sorted(rest.files.items()):
        total.update(f"{name} {model_digest(place, cache)}\n".encode())
    return total.hexdigest()


def _fill(network: Any, found: Denoiser, place: Device) -> None:
    sources = _sources(found)
    wanted = network.state_dict()
    missing = sorted(wanted.keys() - sources.keys())
    if missing:
        broken(found.path, f"lacks {len(missing)} weights, {missing[0]} among them")
    linear = {n for n, m in network.named_modules() if type(m) is torch.nn.Linear}
    packed: dict[str, Packed] = {}
    state: dict[str, Tensor] = {}
    read = _Reader(found, place.dtype)
    for name, empty_one in wanted.items():
        weight = read.taken(sources[name], tuple(empty_one.shape))
        if tuple(weight.shape) != tuple(empty_one.shape):
            here, there = tuple(weight.shape), tuple(empty_one.shape)
            broken(found.path, f"has {name} of shape {here}, where the model's is {there}")
        layer = name.removesuffix(".weight")
        if isinstance(weight, Packed) and layer in linear and name.endswith(".weight"):
            packed[layer] = weight
        else:
            state[name] = weight.unpacked(place.dtype) if isinstance(weight, Packed) else weight
    biases = {layer: state.pop(f"{layer}.bias") for layer in packed if f"{layer}.bias" in state}
    put_in(network, packed, biases)
    network.load_state_dict(state, assign=True, strict=False)


def _sources(found: Denoiser) -> dict[str, Take]:
    """Where in the file each of diffusers' weights is."""
    if not found.original:
        return {name: Take(true) for name, true in found.names.items()}
    layout = LAYOUTS[found.make.network]
    shapes = found.shapes
    rows = {name: shapes[name][0] if shapes[name] else 0 for name in found.names}
    made = takes(layout, rows, _widths(found.config))
    return {
        new: Take(found.names[take.name], take.begin, take.end, take.swapped)
        for new, take in made.items()
    }


def _widths(config: Mapping[str, Any]) -> tuple[int, int, int]:
    """Rows of queries, keys and values."""
    if "n_heads" in config:
        head = config["dim"] // config["n_heads"]
        return config["dim"], config["n_kv_heads"] * head, config["n_kv_heads"] * head
    wide = config["num_attention_heads"] * config["attention_head_dim"]
    return wide, wide, wide


class _Reader:
    """Reads weights out of the file; those that several layers are parts of, once."""

    def __init__(self, found: Denoiser, dtype: torch.dtype) -> None:
        self._file, self._path, self._dtype = WeightFile(found.path), found.path, dtype
        self._read: OrderedDict[str, Tensor | Packed] = OrderedDict()

    def taken(self, take: Take, shape: tuple[int, ...]) -> Tensor | Packed:
        """A weight; of the given shape where only sides of 1 differ, which some GGUF programs
        leave out."""
        found = self._whole(take.name)
        if isinstance(found, Packed):
            scale = found.scale
            if scale is not None and scale.numel() > 1:
                scale = _rows(scale, take)
            return Packed(_rows(found.data, take), found.kind, scale)
        found = _rows(found, take)
        same = [side for side in found.shape if side != 1] == [side for side in shape if side != 1]
        return found.reshape(shape) if same else found

    def _whole(self, name: str) -> Tensor | Packed:
        if name not in self._read:
            while len(self._read) >= _KEPT:
                self._read.popitem(last=False)
            self._read[name] = self._from_file(name)
        return self._read[name]

    def _from_file(self, name: str) -> Tensor | Packed:
        return self._file.packed(name) or self._file.tensor(name, self._dtype)


def _rows(tensor: Tensor, take: Take) -> Tensor:
    if take.begin or take.end is not None:
        # A copy: else the whole of it would stay in memory.
        tensor = tensor[take.begin : take.end].clone()
    return torch.cat(tensor.chunk(2)[::-1]) if take.swapped else tensor
