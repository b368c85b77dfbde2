"""How deep a UNet or its ControlNet is, told from its weights.

Distilled ones leave layers out: SSD-1B and Segmind-Vega have fewer transformers and none in the
middle, KOALA has one layer a level and no middle at all, the small and mid ControlNets of SDXL have
few transformers or none. Their single files carry no config, so what is there is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import takewhile
from typing import Any

_DOWN, _MID, _UP = "down_blocks.", "mid_block.", "up_blocks."
_PLAIN = {_DOWN: "DownBlock2D", _UP: "UpBlock2D"}
_CROSS = {_DOWN: "CrossAttnDownBlock2D", _UP: "CrossAttnUpBlock2D"}
_NO_DEPTH = 1  # of a block without attention; diffusers reads it nowhere


def layers_per_level(names: Collection[str], prefix: str = "") -> int:
    """Of a network in the layout of latent-diffusion: the layers before its first halving."""
    blocks = (f"{prefix}input_blocks.{i}.0." for i in range(1, len(names)))
    level = takewhile(lambda start: f"{start}op.weight" not in names, blocks)
    return sum(1 for start in level if f"{start}in_layers.0.weight" in names)


def shapes_of(state: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shapes of tensors by name."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def deep_as(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """`config`, with the levels, layers and transformers that weights of these shapes have.

    `shapes`: by diffusers' names. A network of the config's own depth keeps it as it is.
    """
    downs, ups = _depths(_DOWN, shapes), _depths(_UP, shapes)
    if not downs:
        return dict(config)
    depths = [_depth(level) for level in downs]
    middle = _transformers(f"{_MID}attentions.0.", shapes)
    if downs[-1][0] is None and middle is not None:
        depths[-1] = middle  # diffusers gives the middle the last level's number
    channels = [shapes[f"{_DOWN}{i}.resnets.0.conv1.weight"][0] for i in range(len(downs))]
    told: dict[str, Any] = {
        "block_out_channels": channels,
        "layers_per_block": len(downs[0]),
        "down_block_types": _types(_DOWN, downs),
        "transformer_layers_per_block": depths,
        "mid_block_type": _middle(shapes),
        "attention_head_dim": _heads(config, channels),
    }
    if ups:
        back, mirrored = [_depth(level) for level in ups], [_depth(level) for level in downs[::-1]]
        told["up_block_types"] = _types(_UP, ups)
        told["reverse_transformer_layers_per_block"] = None if back == mirrored else back
    return {**config, **told}


def _depths(start: str, shapes: Mapping[str, Any]) -> list[list[int | None]]:
    """Transformers of each layer of each level; None of a layer without attention."""
    found = list[list[int | None]]()
    while f"{start}{len(found)}.resnets.0.conv1.weight" in shapes:
        level = f"{start}{len(found)}."
        layers = list[int | None]()
        while f"{level}resnets.{len(layers)}.conv1.weight" in shapes:
            layers.append(_transformers(f"{level}attentions.{len(layers)}.", shapes))
        found.append(layers)
    return found


def _transformers(attention: str, shapes: Mapping[str, Any]) -> int | None:
    if f"{attention}norm.weight" not in shapes:
        return None
    start = f"{attention}transformer_blocks."
    return len({name[len(start) :].split(".")[0] for name in shapes if name.startswith(start)})


def _types(start: str, levels: list[list[int | None]]) -> list[str]:
    return [(_PLAIN if level[0] is None else _CROSS)[start] for level in levels]


def _depth(level: list[int | None]) -> int | list[int]:
    """One number where all layers of a level are as deep."""
    depths = [_NO_DEPTH if depth is None else depth for depth in level]
    return depths if len({*depths}) > 1 else depths[0]


def _middle(shapes: Mapping[str, Any]) -> str | None:
    if not any(name.startswith(_MID) for name in shapes):
        return None
    plain = f"{_MID}attentions.0.norm.weight" not in shapes
    return "UNetMidBlock2D" if plain else "UNetMidBlock2DCrossAttn"


def _heads(config: Mapping[str, Any], channels: list[int]) -> Any:
    """Heads of each level: as many, or as wide, as those of the family."""
    heads = config["attention_head_dim"]
    if isinstance(heads, int) or channels == list(config["block_out_channels"]):
        return heads
    wide = config["block_out_channels"][0] // heads[0]
    return [max(1, count // wide) for count in channels]
