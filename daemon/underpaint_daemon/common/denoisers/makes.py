"""What a file with a transformer alone is, told from its tensors' names and shapes.

Names are those of the makers' releases (as ComfyUI, its GGUF converter and the makers themselves
write them) or diffusers' own. Constants that no shape tells are those of the released configs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
_PREFIXES = (
    "model.diffusion_model.", "diffusion_model.", "transformer.", "unet.", "module.", "model.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Make:
    """One layout of transformers. `network`: diffusers' class. `families`: those that have it, and
    share all their other parts; the first is the usual one. `config`: from shapes, by diffusers'
    names. `family`: from the config and the words of the file's name. `original`: a piece of the
    names that only the maker's layout has."""

    name: str
    network: str
    families: tuple[str, ...]
    original: str
    config: Callable[[Shapes], dict[str, Any]]
    family: Callable[[Mapping[str, Any], frozenset[str]], str]


def bare(names: Iterable[str]) -> dict[str, str]:
    """A transformer's tensors by their names without a program's prefix."""
    found = list(names)
    for prefix in _PREFIXES:
        if any(name.startswith(prefix) for name in found):
            return {n.removeprefix(prefix): n for n in found if n.startswith(prefix)}
    return {name: name for name in found}


def _shape(shapes: Shapes, *names: str) -> tuple[int, ...]:
    """Of the first that is there. Raises LookupError."""
    for name in names:
        if name in shapes:
            return shapes[name]
    raise LookupError(f"{names[0]} is not in it")


def _count(shapes: Shapes, *starts: str) -> int:
    """How many numbered blocks begin so."""
    pattern = re.compile(f"(?:{'|'.join(map(re.escape, starts))})\\.(\\d+)\\.")
    found = [int(match[1]) for match in map(pattern.match, shapes) if match]
    return max(found, default=-1) + 1


def _axes(head: int, name: str, released: tuple[int, ...]) -> dict[str, Any]:
    """How a head's width is parted over time, height and width: no shape tells it, so nothing for
    heads of another width than the released ones'."""
    return {name: released} if sum(released) == head else {}


def _stream(shapes: Shapes, released: tuple[int, ...]) -> dict[str, Any]:
    """What the layouts of FLUX' kind tell alike."""
    wide, channels = _shape(shapes, "img_in.weight", "x_embedder.weight")
    head = _shape(
        shapes,
        "double_blocks.0.img_attn.norm.query_norm.scale",
        "double_blocks.0.img_attn.norm.query_norm.weight",
        "transformer_blocks.0.attn.norm_q.weight",
    )[0]
    return _axes(head, "axes_dims_rope", released) | {
        "in_channels": channels,
        "out_channels": _shape(shapes, "final_layer.linear.weight", "proj_out.weight")[0],
        "num_layers": _count(shapes, "double_blocks", "transformer_blocks"),
        "num_single_layers": _count(shapes, "single_blocks", "single_transformer_blocks"),
        "attention_head_dim": head,
        "num_attention_heads": wide // head,
        "joint_attention_dim": _shape(shapes, "txt_in.weight", "context_embedder.weight")[1],
    }


def _guided(shapes: Shapes) -> bool:
    return any(name.startswith("guidance_in.") or "guidance_embedder" in name for name in shapes)


def _flux1(shapes: Shapes) -> dict[str, Any]:
    pooled = _shape(
        shapes, "vector_in.in_layer.weight", "time_text_embed.text_embedder.linear_1.weight"
    )
    more = {"pooled_projection_dim": pooled[1], "guidance_embeds": _guided(shapes)}
    return _stream(shapes, (16, 56, 56)) | more


def _flux2(shapes: Shapes) -> dict[str, Any]:
    time = "time_guidance_embed.timestep_embedder.linear_1.weight"
    back = _shape(
        shapes, "double_blocks.0.img_mlp.2.weight", "transformer_blocks.0.ff.linear_out.weight"
    )
    return _stream(shapes, (32, 32, 32, 32)) | {
        "guidance_embeds": _guided(shapes),
        "mlp_ratio": back[1] / back[0],
        "timestep_guidance_channels": _shape(shapes, "time_in.in_layer.weight", time)[1],
    }


def _chroma(shapes: Shapes) -> dict[str, Any]:
    first = _shape(shapes, "distilled_guidance_layer.in_proj.weight")
    return _stream(shapes, (16, 56, 56)) | {
        "approximator_num_channels": first[1],
        "approximator_hidden_dim": first[0],
        "approximator_layers": _count(shapes, "distilled_guidance_layer.layers"),
    }


def _qwen(shapes: Shapes) -> dict[str, Any]:
    wide, channels = _shape(shapes, "img_in.weight")
    head = _shape(shapes, "transformer_blocks.0.attn.norm_q.weight")[0]
    return _axes(head, "axes_dims_rope", (16, 56, 56)) | {
        "in_channels": channels,
        "out_channels": _shape(shapes, "proj_out.weight")[0] // 4,
        "num_layers": _count(shapes, "transformer_blocks"),
        "attention_head_dim": head,
        "num_attention_heads": wide // head,
        "joint_attention_dim": _shape(shapes, "txt_in.weight")[1],
        "zero_cond_t": "__index_timestep_zero__" in shapes,
    }


def _z_image(shapes: Shapes) -> dict[str, Any]:
    wide, inner = _shape(shapes, "x_embedder.weight", "all_x_embedder.2-1.weight")
    block = "layers.0.attention"
    head = _shape(shapes, f"{block}.q_norm.weight", f"{block}.norm_q.weight")[0]
    if f"{block}.qkv.weight" in shapes:
        keys = (shapes[f"{block}.qkv.weight"][0] - wide) // 2
    else:
        keys = _shape(shapes, f"{block}.to_k.weight")[0]
    return _axes(head, "axes_dims", (32, 48, 48)) | {
        "in_channels": inner // 4,
        "dim": wide,
        "n_layers": _count(shapes, "layers"),
        "n_refiner_layers": _count(shapes, "noise_refiner"),
        "n_heads": wide // head,
        "n_kv_heads": keys // head,
        "cap_feat_dim": _shape(shapes, "cap_embedder.1.weight")[1],
    }


def _sd3(shapes: Shapes) -> dict[str, Any]:
    """Stable Diffusion 3's heads are 64 wide, and as many as its blocks; 3.5's norms tell it."""
    wide, channels, patch, _ = _shape(shapes, "x_embedder.proj.weight", "pos_embed.proj.weight")
    norms = ("joint_blocks.0.x_block.attn.ln_q.weight", "transformer_blocks.0.attn.norm_q.weight")
    head = next((shapes[name][0] for name in norms if name in shapes), 64)
    count = _count(shapes, "joint_blocks", "transformer_blocks")
    again = ("joint_blocks.{}.x_block.attn2.qkv.weight", "transformer_blocks.{}.attn2.to_q.weight")
    last = _shape(shapes, "final_layer.linear.weight", "proj_out.weight")[0]
    pooled = ("y_embedder.mlp.0.weight", "time_text_embed.text_embedder.linear_1.weight")
    return {
        "sample_size": 128,
        "patch_size": patch,
        "in_channels": channels,
        "out_channels": last // patch**2,
        "num_layers": count,
        "attention_head_dim": head,
        "num_attention_heads": wide // head,
        "joint_attention_dim": _shape(shapes, "context_embedder.weight")[1],
        "caption_projection_dim": _shape(shapes, "context_embedder.weight")[0],
        "pooled_projection_dim": _shape(shapes, *pooled)[1],
        "pos_embed_max_size": round(_shape(shapes, "pos_embed", "pos_embed.pos_embed")[1] ** 0.5),
        "qk_norm": "rms_norm" if any(name in shapes for name in norms) else None,
        "dual_attention_layers": [
            i for i in range(count) if any(name.format(i) in shapes for name in again)
        ],
    }


def _only(family: str) -> Callable[[Mapping[str, Any], frozenset[str]], str]:
    return lambda *_told: family


def _family_of_flux1(config: Mapping[str, Any], words: frozenset[str]) -> str:
    """Fill and the control models by their input channels; Kontext's are dev's."""
    by_channels = {384: "flux1_fill", 128: "flux1_control"}
    usual = "flux1_kontext" if "kontext" in words else "flux1"
    return by_channels.get(int(config["in_channels"]), usual)


def _family_of_flux2(config: Mapping[str, Any], words: frozenset[str]) -> str:
    del words
    return "flux2" if config["guidance_embeds"] else "flux2_klein"


def _family_of_qwen(config: Mapping[str, Any], words: frozenset[str]) -> str:
    if "edit" not in words:
        return "qwen_image"
    several = config["zero_cond_t"] or words & {"2509", "2511", "plus"}
    return "qwen_edit_plus" if several else "qwen_edit"


# By what `contents.tensors` says of such a file.
MAKES: Mapping[str, Make] = {
    "is a FLUX checkpoint": Make(
        "FLUX.1", "FluxTransformer2DModel",
        ("flux1", "flux1_kontext", "flux1_fill", "flux1_control"),
        "double_blocks.", _flux1, _family_of_flux1,
    ),
    "is a FLUX.2 checkpoint": Make(
        "FLUX.2", "Flux2Transformer2DModel", ("flux2", "flux2_klein"),
        "double_blocks.", _flux2, _family_of_flux2,
    ),
    "is a Chroma checkpoint": Make(
        "Chroma", "ChromaTransformer2DModel", ("chroma",),
        "double_blocks.", _chroma, _only("chroma"),
    ),
    "is a Qwen-Image checkpoint": Make(
        "Qwen-Image", "QwenImageTransformer2DModel",
        ("qwen_image", "qwen_edit", "qwen_edit_plus"),
        "", _qwen, _family_of_qwen,
    ),
    "is a Z-Image checkpoint": Make(
        "Z-Image", "ZImageTransformer2DModel", ("z_image",),
        ".attention.qkv.", _z_image, _only("z_image"),
    ),
    "is a Stable Diffusion 3 checkpoint": Make(
        "Stable Diffusion 3", "SD3Transformer2DModel", ("sd35",),
        "joint_blocks.", _sd3, _only("sd35"),
    ),
}  # fmt: skip
