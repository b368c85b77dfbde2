"""The parts around a transformer as ComfyUI and Forge keep them: text encoders and VAEs, a file
each, in folders `text_encoders` (`clip`, `text_encoder`) and `vae` (`VAE`), or within the
transformer's own file; tokenizers in the program itself, or of any model that is known here.

What a file is follows from its tensors' names and widths, whatever it is called.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from underpaint.errors import RequestError

from ..contents.headers import Marks, header, marks_of_file
from ..model_files import INDEX, read_json
from ..places import SUFFIXES
from ..single_files import config_folder
from .files import Denoiser
from .packed_names import named_as_released

Shapes = Mapping[str, tuple[int, ...]]
_MODELS = ("diffusion_models", "unet", "checkpoints", "stable-diffusion")
_TEXTS, _VAES = ("text_encoders", "clip", "text_encoder"), ("vae", "VAE")
_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Loose:
    """A part in a file. `names`: of its tensors in the file, by those that it was released with.
    `shapes`: by these, too."""

    path: Path
    names: Mapping[str, str]
    shapes: Shapes


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of part. `library`, `network`: its class. `told`: in words, with the name under which
    it is shared. `folders`: where it lies. `baked`: its prefixes within a whole checkpoint.
    `width`: the tensor whose last side is what it gives; `marks`: others that it has; `sees`: that
    it has for families that show it pictures. `lacks`: that it has not."""

    library: str
    network: str
    told: str
    folders: tuple[str, ...]
    baked: tuple[str, ...]
    width: str
    marks: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()


_CLIP = Kind(
    "transformers", "CLIPTextModel", "text encoder CLIP-L (clip_l.safetensors)", _TEXTS,
    ("text_encoders.clip_l.transformer.",), "text_model.embeddings.token_embedding.weight",
)  # fmt: skip
# Stable Diffusion 3 reads the two CLIPs of SDXL side by side, 768 and 1280 wide.
_CLIP_L, _CLIP_G = (
    Kind(
        "transformers", "CLIPTextModelWithProjection", told, _TEXTS,
        (f"text_encoders.{name}.transformer.",), _CLIP.width,
    )
    for name, told in (
        ("clip_l", _CLIP.told), ("clip_g", "text encoder CLIP-G (clip_g.safetensors)"),
    )
)  # fmt: skip
_SHARES = {_CLIP_L: 768 / 2048, _CLIP_G: 1280 / 2048}
_T5 = Kind(
    "transformers", "T5EncoderModel", "text encoder T5-XXL (t5xxl_fp16.safetensors)", _TEXTS,
    ("text_encoders.t5xxl.transformer.",), "shared.weight",
    ("encoder.block.0.layer.0.SelfAttention.q.weight",),
)  # fmt: skip
_QWEN3 = Kind(
    "transformers", "Qwen3Model", "text encoder Qwen 3 (qwen_3_4b.safetensors)", _TEXTS,
    ("text_encoders.qwen3_4b.transformer.",), "model.embed_tokens.weight",
    ("model.layers.0.self_attn.q_norm.weight",), ("visual.patch_embed.proj.weight",),
)  # fmt: skip
_QWEN3_LM = Kind(
    "transformers", "Qwen3ForCausalLM", _QWEN3.told, _TEXTS, _QWEN3.baked, _QWEN3.width,
    _QWEN3.marks, _QWEN3.lacks,
)  # fmt: skip
_QWEN_VL = Kind(
    "transformers", "Qwen2_5_VLForConditionalGeneration",
    "text encoder Qwen 2.5 VL (qwen_2.5_vl_7b.safetensors)", _TEXTS,
    ("text_encoders.qwen25_7b.transformer.",), "model.embed_tokens.weight",
    ("model.layers.0.self_attn.q_proj.bias",), sees=("visual.patch_embed.proj.weight",),
)  # fmt: skip
_VAE = Kind(
    "diffusers", "AutoencoderKL", "VAE (ae.safetensors)", _VAES, ("vae.",), "",
    ("decoder.conv_in.weight",), ("bn.running_mean",),
)  # fmt: skip
_SD3_VAE = Kind(
    "diffusers", "AutoencoderKL", "VAE (that of Stable Diffusion 3)", _VAES,
    ("first_stage_model.", "vae."), "", ("decoder.conv_in.weight",), ("bn.running_mean",),
)  # fmt: skip
_FLUX2_VAE = Kind(
    "diffusers", "AutoencoderKLFlux2", "VAE (flux2-vae.safetensors)", _VAES, ("vae.",), "",
    ("decoder.conv_in.weight", "bn.running_mean"),
)  # fmt: skip
_QWEN_VAE = Kind(
    "diffusers", "AutoencoderKLQwenImage", "VAE (qwen_image_vae.safetensors)", _VAES, ("vae.",), "",
    ("decoder.conv1.weight", "decoder.middle.0.residual.0.gamma"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """A tokenizer. `network`: its class. `told`: in words. `places`: where folders of it lie, from
    a folder like ComfyUI's `models`."""

    network: str
    told: str
    places: tuple[str, ...]


_CLIP_WORDS = Words("CLIPTokenizer", "CLIP's tokenizer", ())
_CLIP_G_WORDS = Words("CLIPTokenizer", "CLIP-G's tokenizer", ())
_OWN_WORDS = {_CLIP_WORDS: "sd15/tokenizer", _CLIP_G_WORDS: "sdxl/tokenizer_2"}
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
_QWEN_PARTS: Mapping[str, Kind | Words] = {
    "text_encoder": _QWEN_VL, "tokenizer": _QWEN_WORDS, "vae": _QWEN_VAE,
}  # fmt: skip
# By the make's name: part by part, and how wide what a text encoder gives must be.
PARTS: Mapping[str, Mapping[str, Kind | Words]] = {
    "FLUX.1": {
        "text_encoder": _CLIP, "tokenizer": _CLIP_WORDS, "text_encoder_2": _T5,
        "tokenizer_2": _T5_WORDS, "vae": _VAE,
    },
    "Chroma": {"text_encoder": _T5, "tokenizer": _T5_WORDS, "vae": _VAE},
    "FLUX.2": {"text_encoder": _QWEN3_LM, "tokenizer": _QWEN_WORDS, "vae": _FLUX2_VAE},
    "Qwen-Image": _QWEN_PARTS,
    "Z-Image": {"text_encoder": _QWEN3, "tokenizer": _QWEN_WORDS, "vae": _VAE},
    "Stable Diffusion 3": {
        "text_encoder": _CLIP_L, "tokenizer": _CLIP_WORDS, "text_encoder_2": _CLIP_G,
        "tokenizer_2": _CLIP_G_WORDS, "text_encoder_3": _T5, "tokenizer_3": _T5_WORDS,
        "vae": _SD3_VAE,
    },
}  # fmt: skip
# Klein reads three layers of its encoder side by side.
_LAYERS_READ = {"FLUX.2": 3}


def loose_parts(
    found: Denoiser, roots: Iterable[Path], folders: Iterable[Path]
) -> tuple[dict[str, Loose], dict[str, Path], list[str]]:
    """What lies in files, by part; the folders of tokenizers, by part; what is missing, in words.

    `roots`: folders like ComfyUI's `models`. `folders`: of models in diffusers' format.
    """
    wanted = PARTS[found.make.name]
    files = [*_baked(found, wanted.values()), *_files(_roots(found, roots))]
    held, known = dict[str, Loose](), list(folders)
    tokenizers, missing = dict[str, Path](), list[str]()
    for part, one in wanted.items():
        if isinstance(one, Words):
            folder = _tokenizer(one, _roots(found, roots), known)
            if folder is not None:
                tokenizers[part] = folder
        else:
            fits = (file for file in files if _is(one, file, found))
            file = next(fits, None)
            if file is not None:
                held[part] = file
        if part not in held and part not in tokenizers:
            missing.append(one.told)
    return held, tokenizers, missing


def holds_parts(found: Denoiser) -> bool:
    """Whether the transformer's own file has other parts in it, too: a whole checkpoint."""
    return any(_baked(found, PARTS[found.make.name].values()))


def index_of_parts(make: str) -> dict[str, list[str]]:
    """The parts as a `model_index.json` names them."""
    return {
        part: ["transformers" if isinstance(one, Words) else one.library, one.network]
        for part, one in PARTS[make].items()
    }


def _roots(found: Denoiser, others: Iterable[Path]) -> list[Path]:
    """The folder of models that the file lies in, before the others."""
    own = [above.parent for above in found.path.parents if above.name.lower() in _MODELS]
    return list(dict.fromkeys([*own[:1], found.path.parent, *others]))


def _files(roots: Iterable[Path]) -> Iterator[Loose]:
    seen = set[Path]()
    for root in roots:
        for folder in (*_TEXTS, *_VAES):
            for path in _below(root / folder, _DEPTH):
                if path not in seen:
                    seen.add(path)
                    with contextlib.suppress(OSError, RequestError):  # damaged: none of the parts
                        yield _loose(marks_of_file(path))


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # none, or of another user
        return
    for path in entries:
        if path.suffix in SUFFIXES and path.is_file():
            yield path
        elif depth > 0 and path.is_dir():
            yield from _below(path, depth - 1)


@functools.lru_cache(64)
def _loose(marks: Marks) -> Loose:
    path = Path(marks[0])
    return _part(path, "", header(path))


def _part(path: Path, prefix: str, tensors: Mapping[str, Any]) -> Loose:
    names = {name.removeprefix(prefix): name for name in tensors if name.startswith(prefix)}
    made = {new: names[old] for new, old in named_as_released(names).items()}
    return Loose(path, made, {new: tuple(tensors[true]["shape"]) for new, true in made.items()})


def _baked(found: Denoiser, wanted: Iterable[Kind | Words]) -> Iterator[Loose]:
    """Parts within the transformer's own file."""
    tensors = header(found.path)
    prefixes = {p for one in wanted if isinstance(one, Kind) for p in one.baked}
    for prefix in sorted(prefixes):
        if any(name.startswith(prefix) for name in tensors):
            yield _part(found.path, prefix, tensors)


def _is(kind: Kind, file: Loose, found: Denoiser) -> bool:
    marks = (*kind.marks, *(kind.sees if "edit" in found.family else ()))
    if any(mark not in file.shapes for mark in marks):
        return False
    if any(lack in file.shapes for lack in kind.lacks):
        return False
    if not kind.width:
        return _latents(file, found)
    return kind.width in file.shapes and file.shapes[kind.width][-1] == _wanted(kind, found)


def _latents(file: Loose, found: Denoiser) -> bool:
    """Whether a VAE's latents are those that the transformer paints: it sees 2×2 of them."""
    name = "decoder.conv_in.weight"
    shape = file.shapes[name] if name in file.shapes else file.shapes["decoder.conv1.weight"]
    # Fill and the control models see more beside them.
    seen = int(found.config.get("out_channels") or found.config["in_channels"])
    return shape[1] in (seen, seen // 4)


def _wanted(kind: Kind, found: Denoiser) -> int:
    if kind is _CLIP or kind in _SHARES:
        return round(int(found.config["pooled_projection_dim"]) * _SHARES.get(kind, 1))
    wide = found.config.get("cap_feat_dim") or found.config["joint_attention_dim"]
    return int(wide) // _LAYERS_READ.get(found.make.name, 1)


def _tokenizer(words: Words, roots: Iterable[Path], folders: Iterable[Path]) -> Path | None:
    """CLIP's comes with the daemon; others lie in the program beside, or in some model."""
    if words in _OWN_WORDS:
        return config_folder(_OWN_WORDS[words])
    for root in roots:
        for place in words.places:
            if (root / place).is_dir():
                return (root / place).resolve()
    return next(_in_models(words, folders), None)


def _in_models(words: Words, folders: Iterable[Path]) -> Iterator[Path]:
    """Tokenizers of a class in models' folders, under its old name for the fast one, too."""
    names = (words.network, f"{words.network}Fast")
    for folder in folders:
        try:
            index = read_json(folder / INDEX)
        except RequestError:
            continue
        for part, entry in index.items():
            if isinstance(entry, list) and entry[-1] in names and (folder / part).is_dir():
                yield folder / part
