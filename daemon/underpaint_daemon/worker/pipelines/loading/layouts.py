"""How the makers' names of a transformer's weights become diffusers'.

By rules that know no widths, so that they hold for every size, and for packed rows: weights are
only parted and put together along their first side. Source: diffusers 0.42's conversions of single
files (`loaders/single_file_utils.py`), which know the released widths alone; a test holds the two
against each other at those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_MAIN, _TEXT = ("to_q", "to_k", "to_v"), ("add_q_proj", "add_k_proj", "add_v_proj")


@dataclass(frozen=True, slots=True)
class Take:
    """Where a weight of diffusers' comes from: rows `begin` to `end` of one in the file (None = to
    the last). `swapped`: its halves change places."""

    name: str
    begin: int = 0
    end: int | None = None
    swapped: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Numbered blocks. `name`: diffusers'. `rules`: for the layers in them. `fused`: layers whose
    rows are several layers one after the other, the last as wide as is left."""

    name: str
    rules: Mapping[str, str]
    fused: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """Rules for layers' names (what stands before `.weight`, `.bias`, `.scale`).

    `blocks`: for numbered blocks that begin so. `plain`: for all else. `swapped`: shift before
    scale, where diffusers has scale before shift; `swapped_last`: a layer of the last block where
    it is so, too. `dropped`: what diffusers has no place for.
    """

    plain: Mapping[str, str]
    blocks: Mapping[str, Block]
    swapped: frozenset[str] = frozenset()
    swapped_last: str = ""
    dropped: frozenset[str] = frozenset()


def _attention(*names: str) -> tuple[str, ...]:
    return tuple(f"attn.{name}" for name in names)


_DOUBLE = {
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
}
_SINGLE = {"norm.query_norm": "attn.norm_q", "norm.key_norm": "attn.norm_k"}
_ENDS = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_OF_STREAMS = {"img_attn.qkv": _attention(*_MAIN), "txt_attn.qkv": _attention(*_TEXT)}
_MLP = {
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
}
_FLUX_BLOCKS: Mapping[str, Block] = {
    "double_blocks": Block(
        "transformer_blocks",
        _DOUBLE | _MLP | {"img_mod.lin": "norm1.linear", "txt_mod.lin": "norm1_context.linear"},
        _OF_STREAMS,
    ),
    "single_blocks": Block(
        "single_transformer_blocks",
        _SINGLE | {"modulation.lin": "norm.linear", "linear2": "proj_out"},
        {"linear1": (*_attention(*_MAIN), "proj_mlp")},
    ),
}


def _embedder(start: str, end: str) -> dict[str, str]:
    return {f"{start}.in_layer": f"{end}.linear_1", f"{start}.out_layer": f"{end}.linear_2"}


_FLUX1 = Layout(
    plain={
        **_ENDS,
        **_embedder("time_in", "time_text_embed.timestep_embedder"),
        **_embedder("guidance_in", "time_text_embed.guidance_embedder"),
        **_embedder("vector_in", "time_text_embed.text_embedder"),
    },
    blocks=_FLUX_BLOCKS,
    swapped=frozenset({"final_layer.adaLN_modulation.1"}),
)
_CHROMA = Layout(
    plain=_ENDS,
    blocks={
        **_FLUX_BLOCKS,
        "distilled_guidance_layer.layers": Block(
            "distilled_guidance_layer.layers",
            {"in_layer": "linear_1", "out_layer": "linear_2"},
        ),
    },
)
_FLUX2 = Layout(
    plain={
        **_ENDS,
        **_embedder("time_in", "time_guidance_embed.timestep_embedder"),
        **_embedder("guidance_in", "time_guidance_embed.guidance_embedder"),
        **{
            f"{name}.lin": f"{name}.linear"
            for name in (
                "double_stream_modulation_img",
                "double_stream_modulation_txt",
                "single_stream_modulation",
            )
        },
    },
    blocks={
        "double_blocks": Block(
            "transformer_blocks",
            _DOUBLE
            | {
                "img_mlp.0": "ff.linear_in",
                "img_mlp.2": "ff.linear_out",
                "txt_mlp.0": "ff_context.linear_in",
                "txt_mlp.2": "ff_context.linear_out",
            },
            _OF_STREAMS,
        ),
        "single_blocks": Block(
            "single_transformer_blocks",
            _SINGLE | {"linear1": "attn.to_qkv_mlp_proj", "linear2": "attn.to_out"},
        ),
    },
    swapped=frozenset({"final_layer.adaLN_modulation.1"}),
)
_Z_BLOCK = {
    "attention.out": "attention.to_out.0",
    "attention.q_norm": "attention.norm_q",
    "attention.k_norm": "attention.norm_k",
}
_Z_IMAGE = Layout(
    plain={
        "x_embedder": "all_x_embedder.2-1",
        "final_layer.linear": "all_final_layer.2-1.linear",
        "final_layer.adaLN_modulation.1": "all_final_layer.2-1.adaLN_modulation.1",
    },
    blocks={
        name: Block(name, _Z_BLOCK, {"attention.qkv": tuple(f"attention.{name}" for name in _MAIN)})
        for name in ("layers", "noise_refiner", "context_refiner")
    },
    dropped=frozenset({"norm_final"}),
)
_OF_BLOCK = {
    "{}.attn.proj": "attn.to_out.0", "{}.attn.ln_q": "attn.norm_q", "{}.attn.ln_k": "attn.norm_k",
    "{}.attn2.proj": "attn2.to_out.0", "{}.attn2.ln_q": "attn2.norm_q",
    "{}.attn2.ln_k": "attn2.norm_k", "{}.adaLN_modulation.1": "norm1.linear",
    "{}.mlp.fc1": "ff.net.0.proj", "{}.mlp.fc2": "ff.net.2",
}  # fmt: skip
_OF_CONTEXT = {
    "{}.attn.proj": "attn.to_add_out", "{}.attn.ln_q": "attn.norm_added_q",
    "{}.attn.ln_k": "attn.norm_added_k", "{}.adaLN_modulation.1": "norm1_context.linear",
    "{}.mlp.fc1": "ff_context.net.0.proj", "{}.mlp.fc2": "ff_context.net.2",
}  # fmt: skip
_SD3 = Layout(
    plain={
        "pos_embed": "pos_embed.pos_embed",
        "x_embedder.proj": "pos_embed.proj",
        "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
        "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
        "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
        "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
        "final_layer.linear": "proj_out",
        "final_layer.adaLN_modulation.1": "norm_out.linear",
    },
    blocks={
        "joint_blocks": Block(
            "transformer_blocks",
            {
                **{old.format("x_block"): new for old, new in _OF_BLOCK.items()},
                **{old.format("context_block"): new for old, new in _OF_CONTEXT.items()},
            },
            {
                "x_block.attn.qkv": _attention(*_MAIN),
                "x_block.attn2.qkv": tuple(f"attn2.{name}" for name in _MAIN),
                "context_block.attn.qkv": _attention(*_TEXT),
            },
        )
    },
    swapped=frozenset({"final_layer.adaLN_modulation.1"}),
    swapped_last="context_block.adaLN_modulation.1",
)
# By diffusers' class; layouts that are diffusers' own need none.
LAYOUTS: Mapping[str, Layout] = {
    "FluxTransformer2DModel": _FLUX1,
    "Flux2Transformer2DModel": _FLUX2,
    "ChromaTransformer2DModel": _CHROMA,
    "ZImageTransformer2DModel": _Z_IMAGE,
    "SD3Transformer2DModel": _SD3,
}


def takes(layout: Layout, rows: Mapping[str, int], widths: Sequence[int]) -> dict[str, Take]:
    """diffusers' names, and where each comes from. `rows`: of every tensor in the file by name.
    `widths`: rows of the parts of a fused layer but the last, which gets the rest."""
    swapped = swapped_layers(layout, rows)
    return {
        new: take
        for name, count in rows.items()
        for new, take in _taken(layout, name, count, widths, swapped)
    }


def swapped_layers(layout: Layout, names: Iterable[str]) -> frozenset[str]:
    """The layers whose halves change places, of a file with weights of these names."""
    if not layout.swapped_last:
        return layout.swapped
    (block,) = layout.blocks
    starts = (name.removeprefix(f"{block}.") for name in names if name.startswith(f"{block}."))
    last = max((int(start.partition(".")[0]) for start in starts), default=0)
    return layout.swapped | {f"{block}.{last}.{layout.swapped_last}"}


def _taken(
    layout: Layout, name: str, count: int, widths: Sequence[int], swapped: frozenset[str]
) -> Iterator[tuple[str, Take]]:
    layer, dot, ending = name.rpartition(".")
    if layer in layout.dropped:
        return
    if not dot:  # a table of its own, in no layer
        yield layout.plain.get(name, name), Take(name)
        return
    ending = "weight" if ending == "scale" else ending
    start, inner, block = _block(layout, layer)
    if inner in block.fused:
        yield from _parts(name, f"{start}{{}}.{ending}", block.fused[inner], count, widths)
        return
    new = f"{start}{block.rules.get(inner, inner)}"
    yield f"{new}.{ending}", Take(name, swapped=layer in swapped)


def _parts(
    name: str, form: str, parts: Sequence[str], count: int, widths: Sequence[int]
) -> Iterator[tuple[str, Take]]:
    """The rows of several layers in one."""
    begin = 0
    for i, part in enumerate(parts):
        end = count if i == len(parts) - 1 else begin + widths[i]
        yield form.format(part), Take(name, begin, end)
        begin = end


def _block(layout: Layout, layer: str) -> tuple[str, str, Block]:
    """What stands before a layer's name within its block, anew; the name; the block's rules."""
    for old, block in layout.blocks.items():
        if layer.startswith(f"{old}."):
            number, _, inner = layer.removeprefix(f"{old}.").partition(".")
            return f"{block.name}.{number}.", inner, block
    return "", layer, Block("", layout.plain)
