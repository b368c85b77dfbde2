"""A transformer of diffusers' written as its makers and ComfyUI write it: under their names, with
the layers that they keep as one; plain, in fp8, or as a GGUF file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from underpaint_daemon.worker.pipelines.loading.layouts import LAYOUTS, Layout, swapped_layers


def original(network: Any) -> dict[str, Tensor]:
    """Its weights under the makers' names."""
    state = network.state_dict()
    layout = LAYOUTS.get(type(network).__name__)
    if layout is None:
        return {name: tensor.contiguous() for name, tensor in state.items()}
    found: dict[str, Tensor] = {}
    for name in state:
        layer, _, ending = name.rpartition(".")
        for old, parts in _old(layout, layer, ending):
            if old not in found:
                found[old] = torch.cat([state[part] for part in parts]).contiguous()
    swapped = swapped_layers(layout, found)
    return {
        name: torch.cat(tensor.chunk(2)[::-1]) if name.rpartition(".")[0] in swapped else tensor
        for name, tensor in found.items()
    }


def _old(layout: Layout, layer: str, ending: str) -> list[tuple[str, list[str]]]:
    """The name in the file, and the weights of diffusers' that it holds."""
    for old, block in layout.blocks.items():
        if not layer.startswith(f"{block.name}."):
            continue
        number, _, inner = layer.removeprefix(f"{block.name}.").partition(".")
        for fused, parts in block.fused.items():
            names = [f"{block.name}.{number}.{part}.{ending}" for part in parts]
            if inner in parts:
                return [(f"{old}.{number}.{fused}.{ending}", names)]
        back = {there: here for here, there in block.rules.items()}
        made = back.get(inner, inner)
        end = "scale" if made.endswith(("query_norm", "key_norm")) else ending
        return [(f"{old}.{number}.{made}.{end}", [f"{layer}.{ending}"])]
    back = {there: here for here, there in layout.plain.items()}
    whole = f"{layer}.{ending}" if layer else ending
    if whole in back:
        return [(back[whole], [whole])]
    end = "scale" if layer.startswith("distilled_guidance_layer.norms") else ending
    made = back.get(layer, layer)
    return [(f"{made}.{end}" if made else end, [whole])]


def save_original(network: Any, file: Path, *, prefix: str = "", dtype: Any = None) -> Path:
    """As one safetensors file; `dtype`: of its matrices."""
    tensors = {
        prefix + name: tensor if dtype is None or tensor.dim() < 2 else tensor.to(dtype)
        for name, tensor in original(network).items()
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)
    return file


def save_gguf(network: Any, file: Path, kind: str, arch: str = "flux") -> Path:
    """As a GGUF file, with matrices of whole blocks packed as `kind`, all else in float32; written
    by the format's own package."""
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(file, arch)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    for name, tensor in original(network).items():
        _add(writer, name, tensor.float().numpy(), gguf.GGMLQuantizationType[kind])
    return _closed(writer, file)


def save_text_gguf(encoder: Any, file: Path, kind: str, arch: str, words: Any = None) -> Path:
    """A text encoder as llama.cpp's converter names its weights (by the format's own tables), with
    the rows of queries and keys as it lays them out in models of LLaMA's make. `words`: a
    tokenizer to be kept beside them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    named = gguf.MODEL_ARCH[arch]
    names = gguf.get_tensor_name_map(named, 99)
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[named])
    heads = {"q_proj": 2, "k_proj": 1} if arch in ("LLAMA", "MISTRAL3") else {}
    if words is not None:
        _add_words(writer, words)
    for name, tensor in encoder.state_dict().items():
        plain = name.replace("model.language_model.", "model.")
        plain = (
            plain
            if plain.startswith(("model.", "lm_head", "encoder", "shared"))
            else (f"model.{plain}")
        )
        told = names.get_name(plain, try_suffixes=(".weight", ".bias"))
        if told is not None and plain != "encoder.embed_tokens.weight":
            count = heads.get(plain.split(".")[-2], 0)
            data = _permuted(tensor, count) if count else tensor
            _add(writer, told, data.float().numpy(), gguf.GGMLQuantizationType[kind])
    return _closed(writer, file)


def _permuted(tensor: Tensor, heads: int) -> Tensor:
    halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return halves.swapaxes(1, 2).reshape(tensor.shape)


def _add_words(writer: Any, words: Any) -> None:
    told = json.loads(words.backend_tokenizer.to_str())
    tokens = sorted(words.get_vocab(), key=words.get_vocab().get)
    marks = {one["content"] for one in told["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("tekken")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.CONTROL if one in marks else gguf.TokenType.NORMAL for one in tokens]
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in told["model"]["merges"]])


def save_eyes_gguf(encoder: Any, file: Path, kind: str) -> Path:
    """The part of Qwen 2.5 VL that sees, as llama.cpp's converter writes it (mmproj): queries, keys
    and values apart, and the first layer one moment at a time."""
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.MMPROJ, 99)
    writer = gguf.GGUFWriter(file, "clip")
    for name, tensor in encoder.state_dict().items():
        if not name.startswith("model.visual."):
            continue
        name = name.removeprefix("model.")
        parts = {name: tensor}
        if ".qkv." in name:
            three = zip("qkv", tensor.chunk(3), strict=True)
            parts = {name.replace("qkv", one): part for one, part in three}
        if tensor.dim() == 5:
            parts = {name: tensor[:, :, 0], f"{name}.1": tensor[:, :, 1]}
        for one, part in parts.items():
            told = names.get_name(one.removesuffix(".1"), try_suffixes=(".weight", ".bias"))
            assert told is not None, one
            again = ".1" if one.endswith(".1") else ""
            data = part.contiguous().float().numpy()
            _add(writer, told + again, data, gguf.GGMLQuantizationType[kind])
    return _closed(writer, file)


def _closed(writer: Any, file: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _packs(data: np.ndarray, kind: Any) -> bool:
    return data.ndim == 2 and data.shape[-1] % gguf.GGML_QUANT_SIZES[kind][0] == 0


def _add(writer: Any, name: str, data: np.ndarray, kind: Any) -> None:
    if _packs(data, kind):
        writer.add_tensor(name, gguf.quants.quantize(data, kind), raw_dtype=kind)
    else:
        writer.add_tensor(name, data.astype(np.float32))


def round_trip(network: Any, kind: str) -> Any:
    """The same network with each weight that `save_gguf` packs taken there and back, by the
    format's own package."""
    named = gguf.GGMLQuantizationType[kind]
    for parameter in network.parameters():
        data = parameter.detach().float().numpy()
        if _packs(data, named):
            back = gguf.quants.dequantize(gguf.quants.quantize(data, named), named)
            parameter.data = torch.from_numpy(np.ascontiguousarray(back))
    return network
