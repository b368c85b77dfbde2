"""Linear layers whose weights stay packed in memory, in blocks as GGUF files have them or in eight
bits, and are unpacked whenever they are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from underpaint_daemon.common.contents.gguf import BLOCKS

EIGHT = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}


@dataclass(frozen=True, slots=True)
class Packed:
    """A weight in blocks. `data`: uint8, (rows, bytes of a row). `kind`: as ggml calls it, or fp8
    as safetensors does. `scale`: what fp8 weights are multiplied by, (1,) or (rows, 1) float32."""

    data: Tensor
    kind: str
    scale: Tensor | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weights in it."""
        weights, size = BLOCKS.get(self.kind, (1, 1))
        return (*self.data.shape[:-1], self.data.shape[-1] // size * weights)

    def unpacked(self, dtype: torch.dtype) -> Tensor:
        """The weights themselves."""
        return unpack(self.data, self.kind, dtype, self.scale)


def can_unpack(kind: str) -> bool:
    """Whether the weights of a kind can be read here."""
    if kind in EIGHT:
        return True
    import gguf
    from diffusers.quantizers.gguf.utils import dequantize_functions

    return gguf.GGMLQuantizationType[kind] in dequantize_functions


def unpack(data: Tensor, kind: str, dtype: torch.dtype, scale: Tensor | None = None) -> Tensor:
    """Weights (rows, columns) from their blocks, as diffusers unpacks them: in half precision,
    which their scales are in, or in float32 where that is asked for."""
    if kind in EIGHT:
        eight = data.view(EIGHT[kind])
        return eight.to(dtype) if scale is None else (eight.to(torch.float32) * scale).to(dtype)
    import gguf
    from diffusers.quantizers.gguf.utils import dequantize_functions

    weights, size = BLOCKS[kind]
    within = torch.float32 if dtype is torch.float32 else torch.float16
    function = dequantize_functions[gguf.GGMLQuantizationType[kind]]
    found: Tensor = function(data.reshape(-1, size), weights, size, within)
    return found.reshape(*data.shape[:-1], -1).to(dtype)


class PackedLinear(torch.nn.Linear):
    """A linear layer with a packed weight. `in_features` and `out_features` are those of the
    weights in it, which LoRAs go by."""

    scale: Tensor | None

    def __init__(self, packed: Packed, bias: Tensor | None) -> None:
        rows, columns = packed.shape
        super().__init__(columns, rows, bias=False, device="meta")
        self.kind = packed.kind
        self.weight = torch.nn.Parameter(packed.data, requires_grad=False)
        self.register_buffer("scale", packed.scale)
        if bias is not None:
            self.register_parameter("bias", torch.nn.Parameter(bias, requires_grad=False))

    def forward(self, input: Tensor) -> Tensor:
        weight = unpack(self.weight, self.kind, input.dtype, self.scale)
        return torch.nn.functional.linear(input, weight, self.bias)


def weight_shape(layer: Any) -> tuple[int, ...]:
    """The shape of a layer's weights, packed or not."""
    if isinstance(layer, PackedLinear):
        return layer.out_features, layer.in_features
    return tuple(layer.weight.shape)


def put_in(network: Any, packed: dict[str, Packed], biases: dict[str, Tensor]) -> None:
    """Put packed layers in place of the network's linear layers, by their names."""
    for name, weight in packed.items():
        above, _, last = name.rpartition(".")
        setattr(network.get_submodule(above), last, PackedLinear(weight, biases.get(name)))


def is_packed(network: Any) -> bool:
    """Whether some of a network's layers are packed."""
    return any(isinstance(layer, PackedLinear) for layer in network.modules())
