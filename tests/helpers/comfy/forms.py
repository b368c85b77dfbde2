"""Weights as ComfyUI quantises them, made from what its documents say of each form, number by
number: nothing here is the product's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

Made = tuple[dict[str, Tensor], Tensor]
E2M1 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_SEED = ((1, 1, 1, -1), (1, 1, -1, 1), (1, -1, 1, 1), (-1, 1, 1, 1))


def in_tiles(scales: Tensor) -> Tensor:
    """Scales (rows, blocks) where tensor cores look for them, with zeros up to whole tiles."""
    rows, blocks = scales.shape
    down, right = -(-rows // 128), -(-blocks // 4)
    row, block = torch.arange(rows)[:, None], torch.arange(blocks)
    tile = (row // 128) * right + block // 4
    inner = (row % 32) * 16 + (row % 128) // 32 * 4 + block % 4
    found = torch.zeros(down * right * 512, dtype=torch.uint8)
    found[(512 * tile + inner).flatten()] = scales.view(torch.uint8).flatten()
    return found.reshape(128 * down, 4 * right)


def nvfp4(weight: Tensor) -> Made:
    """A matrix (rows, columns) in four bits, by the endings of its tensors' names; and the very
    numbers that lie in it."""
    rows, columns = weight.shape
    blocks = weight.float().reshape(rows, columns // 16, 16)
    whole = weight.abs().max().float() / (448 * 6)
    scales = (blocks.abs().amax(-1) / 6 / whole).clamp(max=448).to(torch.float8_e4m3fn)
    each = (scales.float() * whole)[..., None]
    levels = torch.tensor(E2M1)
    near = ((blocks / each.clamp(min=1e-30)).abs()[..., None] - levels).abs().argmin(-1)
    below = blocks < 0
    codes = (near + 8 * below).reshape(rows, columns).to(torch.uint8)
    found = levels[near] * torch.where(below, -1.0, 1.0) * scales.float()[..., None] * whole
    parts = {
        "weight": codes[:, 0::2] << 4 | codes[:, 1::2],  # the first in the upper half
        "weight_scale": in_tiles(scales).view(torch.float8_e4m3fn),
        "weight_scale_2": whole,
    }
    return parts, found.reshape(rows, columns)


def mxfp8(weight: Tensor) -> Made:
    """A matrix in eight bits with a power of two for each block of 32."""
    rows, columns = weight.shape
    blocks = weight.float().reshape(rows, columns // 32, 32)
    powers = (blocks.abs().amax(-1) / 448).log2().ceil().clamp(-127, 127)
    each = torch.exp2(powers)[..., None]
    eight = (blocks / each).to(torch.float8_e4m3fn)
    parts = {
        "weight": eight.reshape(rows, columns),
        "weight_scale": in_tiles((powers + 127).to(torch.uint8)),
    }
    return parts, (eight.float() * each).reshape(rows, columns)


def int8(weight: Tensor, group: int = 0) -> Made:
    """A matrix in whole numbers with a scale for each row. `group`: columns that are turned."""
    turned = weight.float()
    if group:
        turn = hadamard(group)
        turned = (turned.reshape(len(weight), -1, group) @ turn.T).flatten(1)
    scale = turned.abs().amax(-1, keepdim=True) / 127
    whole = (turned / scale).round().to(torch.int8)
    found = whole.float() * scale
    if group:
        found = (found.reshape(len(weight), -1, group) @ turn).flatten(1)
    return {"weight": whole, "weight_scale": scale}, found


def hadamard(size: int) -> Tensor:
    """Each entry is the product of a small matrix' entries at the digits, to the base 4."""
    found = torch.ones(size, size)
    for row in range(size):
        for column in range(size):
            one, other, left = row, column, size
            while left > 1:
                found[row, column] *= _SEED[one % 4][other % 4]
                one, other, left = one // 4, other // 4, left // 4
    return found / size**0.5


FORMS: Mapping[str, tuple[Callable[[Tensor], Made], Mapping[str, object]]] = {
    "nvfp4": (nvfp4, {"format": "nvfp4"}),
    "mxfp8": (mxfp8, {"format": "mxfp8"}),
    "int8_tensorwise": (int8, {"format": "int8_tensorwise"}),
    "convrot": (
        lambda weight: int8(weight, 16),
        {"format": "int8_tensorwise", "convrot": True, "convrot_groupsize": 16},
    ),
}


def save_as(form: str, tensors: Mapping[str, Tensor], file: Path, *, in_header: bool) -> Path:
    """Save a network with its matrices in a form, as far as their sides allow; beside it, as
    `wide NAME`, the very numbers that lie in it. `in_header`: what they are stands there alone."""
    make, told = FORMS[form]
    packed, wide, layers = dict[str, Tensor](), dict[str, Tensor](), dict[str, object]()
    for name, tensor in tensors.items():
        if tensor.dim() != 2 or tensor.shape[0] % 16 or tensor.shape[1] % 32:
            packed[name] = wide[name] = tensor
            continue
        layer = name.removesuffix(".weight")
        parts, wide[name] = make(tensor)
        packed |= {f"{layer}.{part}": one.contiguous() for part, one in parts.items()}
        layers[layer] = told
        if not in_header:
            mark = torch.tensor(list(json.dumps(told).encode()), dtype=torch.uint8)
            packed[f"{layer}.comfy_quant"] = mark
    said = json.dumps({"format_version": "1.0", "layers": layers})
    # First the other file: tensors may be read from the one that is written over.
    save_file({name: one.contiguous() for name, one in wide.items()}, wide_of(file))
    save_file(packed, file, {"_quantization_metadata": said} if in_header else None)
    return file


def wide_of(file: Path) -> Path:
    """Where the numbers of a file lie as they are."""
    return file.with_name(f"wide {file.name}")
