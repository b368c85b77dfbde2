"""What the parts around a transformer are, a file each: text encoders, VAEs, tokenizers; and which
of them a make needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .files import Denoiser

TEXTS, VAES = ("text_encoders", "clip", "text_encoder"), ("vae", "VAE")
EYES = "visual.patch_embed.proj.weight"
"""The first layer of the part of Qwen 2.5 VL that sees."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of part. `library`, `network`: its class. `told`: in words, with the name under which
    it is shared. `folders`: where it lies. `baked`: its prefixes within a whole checkpoint.
    `width`: the tensor whose last side is what it gives; `marks`: others that it has; `sees`: that
    it has for families that show it pictures. `lacks`: that it has not. `unread`:
    what no family reads of it, as a pattern of names' beginnings. `called`: a pattern that its
    file's name has, in small letters, where shapes do not tell it from another kind."""

    library: str
    network: str
    told: str
    folders: tuple[str, ...]
    baked: tuple[str, ...]
    width: str
    marks: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    unread: str = ""
    called: str = ""


_CLIP = Kind(
    "transformers", "CLIPTextModel", "text encoder CLIP-L (clip_l.safetensors)", TEXTS,
    ("text_encoders.clip_l.transformer.",), "text_model.embeddings.token_embedding.weight",
)  # fmt: skip
# SDXL and Stable Diffusion 3 read two CLIPs side by side, 768 and 1280 wide.
_CLIP_L, _CLIP_G = (
    Kind(
        "transformers", "CLIPTextModelWithProjection", told, TEXTS,
        (f"text_encoders.{name}.transformer.",), _CLIP.width,
    )
    for name, told in (
        ("clip_l", _CLIP.told), ("clip_g", "text encoder CLIP-G (clip_g.safetensors)"),
    )
)  # fmt: skip
_XL_CLIP_L = replace(_CLIP, told="text encoder CLIP-L of SDXL (clip_l.safetensors)")
_SHARES = {_CLIP_L: 768 / 2048, _XL_CLIP_L: 768 / 2048, _CLIP_G: 1280 / 2048}
_T5 = Kind(
    "transformers", "T5EncoderModel", "text encoder T5-XXL (t5xxl_fp16.safetensors)", TEXTS,
    ("text_encoders.t5xxl.transformer.",), "shared.weight",
    ("encoder.block.0.layer.0.SelfAttention.q.weight",),
)  # fmt: skip
_QWEN3 = Kind(
    "transformers", "Qwen3Model", "text encoder Qwen 3 (qwen_3_4b.safetensors)", TEXTS,
    ("text_encoders.qwen3_4b.transformer.",), "model.embed_tokens.weight",
    ("model.layers.0.self_attn.q_norm.weight",), (EYES,),
)  # fmt: skip
_QWEN3_LM = Kind(
    "transformers", "Qwen3ForCausalLM", _QWEN3.told, TEXTS, _QWEN3.baked, _QWEN3.width,
    _QWEN3.marks, _QWEN3.lacks,
)  # fmt: skip
_QWEN_VL = Kind(
    "transformers", "Qwen2_5_VLForConditionalGeneration",
    "text encoder Qwen 2.5 VL (qwen_2.5_vl_7b.safetensors)", TEXTS,
    ("text_encoders.qwen25_7b.transformer.",), "model.embed_tokens.weight",
    ("model.layers.0.self_attn.q_proj.bias",), sees=(EYES,),
)  # fmt: skip
# Layers 10, 20 and 30 are read; ComfyUI's file has no more of them, and no norm after the last.
_MISTRAL = Kind(
    "transformers", "MistralModel",
    "text encoder Mistral 3 (mistral_3_small_flux2_bf16.safetensors)", TEXTS,
    ("text_encoders.mistral3_24b.transformer.",), "model.embed_tokens.weight",
    ("model.layers.29.self_attn.q_proj.weight",),
    ("model.layers.0.self_attn.q_norm.weight", "model.layers.0.self_attn.q_proj.bias"),
    unread=(
        r"model\.layers\.[3-9]\d\.|model\.norm\.|lm_head\.|tekken_model|"
        r"(model\.)?(vision_tower|multi_modal_projector)\."
    ),
)  # fmt: skip
_VAE = Kind(
    "diffusers", "AutoencoderKL", "VAE (ae.safetensors)", VAES, ("vae.",), "",
    ("decoder.conv_in.weight",), ("bn.running_mean",),
)  # fmt: skip
_SD3_VAE = Kind(
    "diffusers", "AutoencoderKL", "VAE (that of Stable Diffusion 3)", VAES,
    ("first_stage_model.", "vae."), "", ("decoder.conv_in.weight",), ("bn.running_mean",),
)  # fmt: skip
# Those of Stable Diffusion 1.5 and XL differ in their numbers alone.
_SD_VAE, _XL_VAE = (
    Kind(
        "diffusers", "AutoencoderKL", f"VAE ({told}.safetensors)", VAES, (), "",
        ("decoder.conv_in.weight", "post_quant_conv.weight"), called=called,
    )
    for told, called in (
        ("vae-ft-mse-840000-ema-pruned", r"^(?!.*xl)"),
        ("sdxl_vae, with xl in its name", "xl"),
    )
)  # fmt: skip
_FLUX2_VAE = Kind(
    "diffusers", "AutoencoderKLFlux2", "VAE (flux2-vae.safetensors)", VAES, ("vae.",), "",
    ("decoder.conv_in.weight", "bn.running_mean"),
)  # fmt: skip
_QWEN_VAE = Kind(
    "diffusers", "AutoencoderKLQwenImage", "VAE (qwen_image_vae.safetensors)", VAES, ("vae.",), "",
    ("decoder.conv1.weight", "decoder.middle.0.residual.0.gamma"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """A tokenizer. `network`: its class. `told`: in words. `places`: where folders of it lie, from
    a folder like ComfyUI's `models`. `inside`: the tensor that it is in some encoders' files."""

    network: str
    told: str
    places: tuple[str, ...]
    inside: str = ""


_CLIP_WORDS = Words("CLIPTokenizer", "CLIP's tokenizer", ())
_CLIP_G_WORDS = Words("CLIPTokenizer", "CLIP-G's tokenizer", ())
OWN_WORDS = {_CLIP_WORDS: "sd15/tokenizer", _CLIP_G_WORDS: "sdxl/tokenizer_2"}
_T5_WORDS = Words(
    "T5Tokenizer", "T5's tokenizer (a folder t5_tokenizer)",
    (
        "tokenizers/t5_tokenizer", "../comfy/text_encoders/t5_tokenizer",
        "../backend/huggingface/black-forest-labs/FLUX.1-dev/tokenizer_2",
    ),
)  # fmt: skip
_QWEN_WORDS = Words(
    "Qwen2Tokenizer", "Qwen's tokenizer (a folder qwen25_tokenizer)",
    ("tokenizers/qwen25_tokenizer", "../comfy/text_encoders/qwen25_tokenizer"),
)  # fmt: skip
_MISTRAL_WORDS = Words(
    "PixtralProcessor", "Mistral's tokenizer (a folder mistral_tokenizer with its tekken.json)",
    ("tokenizers/mistral_tokenizer", "tokenizers/flux2_tokenizer", "Fun_Models/flux2_tokenizer"),
    "tekken_model",
)  # fmt: skip
_QWEN_PARTS: Mapping[str, Kind | Words] = {
    "text_encoder": _QWEN_VL, "tokenizer": _QWEN_WORDS, "vae": _QWEN_VAE,
}  # fmt: skip
# By the family, or the make's name: part by part.
_PARTS: Mapping[str, Mapping[str, Kind | Words]] = {
    "FLUX.1": {
        "text_encoder": _CLIP, "tokenizer": _CLIP_WORDS, "text_encoder_2": _T5,
        "tokenizer_2": _T5_WORDS, "vae": _VAE,
    },
    "Chroma": {"text_encoder": _T5, "tokenizer": _T5_WORDS, "vae": _VAE},
    "flux2": {"text_encoder": _MISTRAL, "tokenizer": _MISTRAL_WORDS, "vae": _FLUX2_VAE},
    "FLUX.2": {"text_encoder": _QWEN3_LM, "tokenizer": _QWEN_WORDS, "vae": _FLUX2_VAE},
    "Qwen-Image": _QWEN_PARTS,
    "Z-Image": {"text_encoder": _QWEN3, "tokenizer": _QWEN_WORDS, "vae": _VAE},
    "Stable Diffusion 3": {
        "text_encoder": _CLIP_L, "tokenizer": _CLIP_WORDS, "text_encoder_2": _CLIP_G,
        "tokenizer_2": _CLIP_G_WORDS, "text_encoder_3": _T5, "tokenizer_3": _T5_WORDS,
        "vae": _SD3_VAE,
    },
    "Stable Diffusion 1.5": {
        "text_encoder": _CLIP, "tokenizer": _CLIP_WORDS, "vae": _SD_VAE,
    },
    "Stable Diffusion XL": {
        "text_encoder": _XL_CLIP_L, "tokenizer": _CLIP_WORDS, "text_encoder_2": _CLIP_G,
        "tokenizer_2": _CLIP_G_WORDS, "vae": _XL_VAE,
    },
}  # fmt: skip
# FLUX.2 reads three layers of its encoder side by side.
_LAYERS_READ = {"FLUX.2": 3}


def is_in_files(found: Denoiser) -> bool:
    """Whether the other parts of its make are known as files."""
    return found.family in _PARTS or found.make.name in _PARTS


def parts_of(found: Denoiser) -> Mapping[str, Kind | Words]:
    """What a transformer or UNet needs around it, part by part."""
    return _PARTS.get(found.family) or _PARTS[found.make.name]


def marks_of(kind: Kind, found: Denoiser) -> tuple[str, ...]:
    """The tensors that a part has, of the transformer's family."""
    return (*kind.marks, *(kind.sees if sees(found) else ()))


def sees(found: Denoiser) -> bool:
    """Whether a transformer's text encoder is shown pictures."""
    return "edit" in found.family


def told_of(one: Kind | Words, found: Denoiser) -> str:
    """A part in words, as it has to be for a transformer."""
    with_eyes = isinstance(one, Kind) and bool(one.sees) and sees(found)
    return f"{one.told}, or a GGUF with its mmproj beside it" if with_eyes else one.told


def width_for(kind: Kind, found: Denoiser) -> int:
    """How wide what a text encoder gives must be."""
    if kind is _CLIP or kind in _SHARES:
        whole = found.config["cross_attention_dim" if found.is_unet else "pooled_projection_dim"]
        return round(int(whole) * _SHARES.get(kind, 1))
    wide = found.config.get("cap_feat_dim") or found.config["joint_attention_dim"]
    return int(wide) // _LAYERS_READ.get(found.make.name, 1)
