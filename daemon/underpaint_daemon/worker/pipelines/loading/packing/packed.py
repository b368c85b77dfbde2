"""Layers whose weights stay packed in memory, in blocks as GGUF files have them, in eight bits, or
as ComfyUI quantises them, and are unpacked whenever they are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from underpaint_daemon.common.contents.forms import FORMS, MICRO
from underpaint_daemon.common.contents.gguf import BLOCKS

from .comfy import numbers

# transformers asks this layer of T5's for its type, and keeps it in full precision itself; the
# other is the table of words in most models.
_UNPACKED = (".DenseReluDense.wo.weight", "lm_head.weight")
_PLAIN = (torch.nn.Linear, torch.nn.Conv2d)
EIGHT = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}
OWN = frozenset({*EIGHT, *FORMS})
"""Kinds that are unpacked here, GGUF's by diffusers."""
_SIZES = {**BLOCKS, **MICRO}


@dataclass(frozen=True, slots=True)
class Packed:
    """A weight in blocks. `data`: uint8, (rows, bytes of a row), in eight bits of the weight's own
    shape. `kind`: as ggml calls it, fp8 as safetensors does, or one of FORMS. `scale`: what the
    weights of these are multiplied by, float32, of as many dimensions, of which all but the first
    are 1."""

    data: Tensor
    kind: str
    scale: Tensor | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weights in it."""
        weights, size = _SIZES.get(self.kind, (1, 1))
        return (*self.data.shape[:-1], self.data.shape[-1] // size * weights)

    def unpacked(self, dtype: torch.dtype) -> Tensor:
        """The weights themselves."""
        return unpack(self.data, self.kind, dtype, self.scale)


def unpack(data: Tensor, kind: str, dtype: torch.dtype, scale: Tensor | None = None) -> Tensor:
    """Weights (rows, columns) from their blocks, as diffusers unpacks them: in half precision,
    which their scales are in, or in float32 where that is asked for."""
    if kind in EIGHT:
        eight = data.view(EIGHT[kind])
        return eight.to(dtype) if scale is None else (eight.to(torch.float32) * scale).to(dtype)
    if kind in FORMS:
        return numbers(data, kind, scale).to(dtype)
    import gguf
    from diffusers.quantizers.gguf.utils import dequantize_functions

    weights, size = BLOCKS[kind]
    within = torch.float32 if dtype is torch.float32 else torch.float16
    function = dequantize_functions[gguf.GGMLQuantizationType[kind]]
    found: Tensor = function(data.reshape(-1, size), weights, size, within)
    return found.reshape(*data.shape[:-1], -1).to(dtype)


class PackedLayer(torch.nn.Module):
    """A layer with a packed weight, of its own shape where it is in eight bits."""

    kind: str = ""
    weight: Any
    scale: Tensor | None

    def hold(self, packed: Packed, bias: Tensor | None) -> None:
        """Take the weight and bias."""
        self.kind = packed.kind
        self.weight = torch.nn.Parameter(packed.data, requires_grad=False)
        self.register_buffer("scale", packed.scale)
        if bias is not None:
            self.register_parameter("bias", torch.nn.Parameter(bias, requires_grad=False))

    def unpacked(self, dtype: torch.dtype) -> Tensor:
        """The weight itself."""
        return unpack(self.weight, self.kind, dtype, self.scale)


class PackedLinear(PackedLayer, torch.nn.Linear):
    """`in_features` and `out_features` are those of the weights in it, which LoRAs go by."""

    def __init__(self, packed: Packed, bias: Tensor | None) -> None:
        rows, columns = packed.shape
        torch.nn.Linear.__init__(self, columns, rows, bias=False, device="meta")
        self.hold(packed, bias)

    def forward(self, input: Tensor) -> Tensor:
        return torch.nn.functional.linear(input, self.unpacked(input.dtype), self.bias)


class PackedConv(PackedLayer, torch.nn.Conv2d):
    """A convolution over pictures, a byte for each weight. It is made as any other, since PEFT
    makes its own layers of the class of the one that they go onto, and is plain until it holds
    something."""

    @classmethod
    def like(cls, layer: torch.nn.Conv2d, packed: Packed, bias: Tensor | None) -> PackedConv:
        """One that does what `layer` does."""
        made: PackedConv = _empty(cls, layer)
        made.hold(packed, bias)
        return made

    def forward(self, input: Tensor) -> Tensor:
        weight = self.unpacked(input.dtype) if self.kind else self.weight
        found: Tensor = self._conv_forward(input, weight, self.bias)
        return found


def _empty(kind: type[torch.nn.Conv2d], like: torch.nn.Conv2d) -> Any:
    return kind(
        like.in_channels,
        like.out_channels,
        like.kernel_size,  # type: ignore[arg-type]  # two, as torch has them once it is made
        like.stride,  # type: ignore[arg-type]
        like.padding,  # type: ignore[arg-type]
        like.dilation,  # type: ignore[arg-type]
        like.groups,
        bias=False,
        padding_mode=like.padding_mode,
        device="meta",
    )


def weight_shape(layer: Any) -> tuple[int, ...]:
    """The shape of a layer's weights, packed or not."""
    if isinstance(layer, PackedLinear):
        return layer.out_features, layer.in_features
    return tuple(layer.weight.shape)


def put_in(network: Any, packed: dict[str, Packed], biases: dict[str, Tensor]) -> None:
    """Put packed layers in place of the network's own, by their names."""
    for name, weight in packed.items():
        old, bias = network.get_submodule(name), biases.get(name)
        like = isinstance(old, torch.nn.Conv2d)
        new = PackedConv.like(old, weight, bias) if like else PackedLinear(weight, bias)
        _replace(network, name, new)


def keep_packed(
    network: Any, state: dict[str, Any], dtype: torch.dtype, *, packs: bool = True
) -> None:
    """Give an empty network packed layers for the packed weights of `state` by its own names,
    where it has linear layers and convolutions for them; all else in `state` becomes plain, as
    `dtype`. `packs`: whether any stays packed."""
    layers = {name: one for name, one in network.named_modules() if type(one) in _PLAIN}
    packed, plain = dict[str, Packed](), dict[int, Tensor]()
    for name, weight in state.items():
        layer = name.removesuffix(".weight")
        if not isinstance(weight, Packed):
            state[name] = weight.to(dtype) if weight.is_floating_point() else weight
        elif packs and _fits(weight, layers.get(layer)) and not name.endswith(_UNPACKED):
            packed[layer] = weight
            state[name] = weight.data
        else:
            state[name] = plain.setdefault(id(weight), weight.unpacked(dtype))
    biases = {layer: state[f"{layer}.bias"] for layer in packed if f"{layer}.bias" in state}
    put_in(network, packed, biases)
    for layer, weight in packed.items():
        if weight.scale is not None:
            state[f"{layer}.scale"] = weight.scale


def _fits(weight: Packed, layer: Any) -> bool:
    return layer is not None and tuple(layer.weight.shape) == tuple(weight.shape)


def is_packed(network: Any) -> bool:
    """Whether some of a network's layers are packed."""
    return any(isinstance(layer, PackedLayer) for layer in network.modules())


def make_plain(network: Any, name: str) -> Any:
    """Unpack a layer of OWN kinds for good, for what must compute with its weight; the layer."""
    old = network.get_submodule(name)
    new: Any = (
        torch.nn.Linear(old.in_features, old.out_features, False, device="meta")
        if isinstance(old, PackedLinear)
        else _empty(torch.nn.Conv2d, old)
    )
    weight = torch.nn.Parameter(old.unpacked(network.dtype), requires_grad=False)
    new.weight, new.bias = weight, old.bias
    _replace(network, name, new)
    return new


def _replace(network: Any, name: str, layer: torch.nn.Module) -> None:
    above, _, last = name.rpartition(".")
    setattr(network.get_submodule(above), last, layer)
