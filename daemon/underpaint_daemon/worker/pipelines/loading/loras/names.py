"""Where the layers that LoRAs name are in a network.

A LoRA is named by the layers of the program that it was trained with. Those of diffusers are the
network's own; those of a transformer's makers, which kohya's trainer and ComfyUI have, are rows of
which several of diffusers' layers are made, or one whose halves have changed places (see
`layouts`). XLabs' trainer, and diffusers' first one, name the part that does the attention.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..layouts import LAYOUTS, Block, Layout, swapped_layers
from ..packing.packed import weight_shape

_PREFIXES = (
    "base_model.model.", "model.diffusion_model.", "diffusion_model.", "lora_unet_",
    "lora_transformer_", "lycoris_", "unet.", "transformer.",
)  # fmt: skip
_ATTENTION = {"to_q": "to_q", "to_k": "to_k", "to_v": "to_v", "to_out.0": "to_out"}
_XLABS = {
    "double_blocks": {
        "processor.qkv_lora1": "img_attn.qkv",
        "processor.qkv_lora2": "txt_attn.qkv",
        "processor.proj_lora1": "img_attn.proj",
        "processor.proj_lora2": "txt_attn.proj",
    },
    "single_blocks": {"processor.qkv_lora": "linear1", "processor.proj_lora": "linear2"},
}
_OF_QKV = 3


@dataclass(frozen=True, slots=True)
class Place:
    """The layers of a network, one after the other, whose rows a LoRA's layer changes. `swapped`:
    its halves have changed places."""

    layers: Sequence[str]
    swapped: bool = False


def places_in(network: Any) -> dict[str, Place]:
    """The layers that a LoRA may name, without a prefix, with dots or underscores."""
    layers = dict(network.named_modules())
    found = {name: Place((name,)) for name in layers}
    for name in layers:
        above, _, last = name.removesuffix(".0").rpartition(".")
        last += ".0" * name.endswith(".0")
        if last in _ATTENTION:
            found[f"{above}.processor.{_ATTENTION[last]}_lora"] = Place((name,))
    layout = LAYOUTS.get(type(network).__name__)
    if layout is not None:
        found |= {name: place for name, place in _of_makers(layout, layers) if name not in found}
    return found | {name.replace(".", "_"): place for name, place in found.items()}


def without_prefix(layer: str) -> str:
    """A LoRA's name of a layer without what programs put before it."""
    for prefix in _PREFIXES:
        layer = layer.removeprefix(prefix)
    return layer


def rows_of(place: Place, layers: Mapping[str, Any]) -> list[int]:
    """The rows of each of a place's layers."""
    return [weight_shape(layers[name])[0] for name in place.layers]


def _of_makers(layout: Layout, layers: Mapping[str, Any]) -> Iterator[tuple[str, Place]]:
    """The makers' names of a transformer's layers."""
    named = dict(_named(layout, layers))
    swapped = swapped_layers(layout, named)
    for name, parts in named.items():
        yield name, Place(parts, name in swapped)


def _named(layout: Layout, layers: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    yield from ((old, (new,)) for old, new in layout.plain.items() if new in layers)
    for old, block in layout.blocks.items():
        numbers = {
            name.removeprefix(f"{block.name}.").partition(".")[0]
            for name in layers
            if name.startswith(f"{block.name}.")
        }
        for number in numbers:
            inner = _inner(block)
            for alias, true in _XLABS.get(old, {}).items():
                parts = inner.get(true, ())
                inner[alias] = parts[:_OF_QKV] if "qkv" in alias else parts
            for name, parts in inner.items():
                whole = [f"{block.name}.{number}.{part}" for part in parts]
                if whole and all(part in layers for part in whole):
                    yield f"{old}.{number}.{name}", whole


def _inner(block: Block) -> dict[str, Sequence[str]]:
    return {**{old: (new,) for old, new in block.rules.items()}, **block.fused}
