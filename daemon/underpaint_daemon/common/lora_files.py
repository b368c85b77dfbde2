"""What a LoRA's file is, told from the names of its tensors: which can be laid on, which cannot.

Kohya's, LyCORIS' and diffusers' spellings of plain LoRA (linear and convolutional, with alpha, of
the UNet, the text encoders, or both) are laid on, and DoRA, LoHa and LoKr of the network that
denoises. Other decompositions would be dropped without a word, or with a word that names no file:
they are refused here by their names.
No torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

from underpaint.errors import ErrorCode, RequestError

from .contents.headers import header
from .contents.tensors import IS_LORA, content_of

Shapes = Mapping[str, tuple[int, ...]]
# By the end, or a piece, of a tensor's name.
_OTHER_FORMS = (
    ("lokr_t2", "a LoKr in Tucker's form (LyCORIS, use_tucker)"),
    ("hada_t1", "a LoHa in Tucker's form (LyCORIS, use_tucker)"),
    ("boft_", "a BOFT (orthogonal finetuning)"),
    ("oft_", "an OFT (orthogonal finetuning)"),
    ("lora_mid", "a LoCon in Tucker's form (LyCORIS, use_tucker)"),
    (".a1.weight", "a GLoRA (LyCORIS)"),
    (".key_norm.scale", "a LoRA that makes a Control model of FLUX.1 dev (Canny, Depth)"),
    (".on_input", "an IA3 (LyCORIS)"),
    (".ia3_l", "an IA3 (PEFT)"),
    (".vera_lambda", "a VeRA (PEFT)"),
    (".w_norm", "a LoRA that changes norms, too (LyCORIS, train_norm)"),
    (".diff$", "a set of whole changes (LyCORIS full, or extracted with all layers)"),
    (".diff_b$", "a set of whole changes (LyCORIS full, or extracted with all layers)"),
    (".set_weight", "a set of whole changes (made by ComfyUI)"),
    (".reshape_weight", "a LoRA that changes shapes of weights (made by ComfyUI)"),
)
DECOMPOSED = (
    ".dora_scale", ".lora_magnitude_vector", ".lora_magnitude_vector.weight", ".lokr_w1",
    ".lokr_w1_a", ".hada_w1_a",
)  # fmt: skip
BUNDLED = "bundle_emb."
"""The beginning of the names of embeddings that come in one file with a LoRA."""
_NAMED = re.compile(r"\.(lora_[AB]|lora_magnitude_vector)\.(?!weight$|bias$)[^.]+(?=\.weight$|$)")
OF_TEXT = ("lora_te", "text_encoder", "lycoris_text_model", "lycoris_te")
FLUX, FLUX1, FLUX2 = "FLUX", "FLUX.1", "FLUX.2"
SD3, QWEN, Z_IMAGE, UNET = "Stable Diffusion 3", "Qwen-Image", "Z-Image", "a UNet"
# By patterns of names, with dots for kohya's underscores. The first that is there counts.
_FAMILIES = (
    (r"joint\.blocks\.", SD3),
    (r"to\.qkv\.mlp\.proj|double\.stream\.modulation", FLUX2),
    (r"single\.transformer\.blocks\.\d+\.(proj\.mlp|norm\.linear|attn\.to\.[qkv])", FLUX1),
    (r"double\.blocks\.", FLUX),
    (r"single\.transformer\.blocks\.", FLUX),
    (r"single\.blocks\.", FLUX),
    (r"context\.refiner\.", Z_IMAGE),
    (r"noise\.refiner\.", Z_IMAGE),
    (r"layers\.\d+\.attention\.", Z_IMAGE),
    (r"img\.mlp\.", QWEN),
    (r"img\.mod\.", QWEN),
    (r"prior\.unet\.", "Stable Cascade"),
    (r"(?<!double\.)blocks\.\d+\.(self|cross)\.attn\.", "Wan"),
    (r"down\.blocks\.", UNET),
    (r"up\.blocks\.", UNET),
    (r"mid\.block\.", UNET),
    (r"input\.blocks\.", UNET),
    (r"output\.blocks\.", UNET),
)
_KIN = {FLUX1: (FLUX, FLUX1), FLUX2: (FLUX, FLUX2)}  # names that both have say less
_MADE_FOR = {
    **dict.fromkeys(("flux1", "flux1_fill", "flux1_kontext", "flux1_control", "chroma"), FLUX1),
    **dict.fromkeys(("flux2", "flux2_klein"), FLUX2),
    **dict.fromkeys(("qwen_image", "qwen_edit", "qwen_edit_plus"), QWEN),
    "sd35": SD3,
    "z_image": Z_IMAGE,
    "sana": "Sana",
}
_FAMILY_OF_TEXT = {768: "SD 1.5", 1024: "SD 2", 2048: "SDXL"}


def check_lora(
    file: Path, family: str, text_width: int | None = None, *, has_second_encoder: bool = False
) -> None:
    """Raise RequestError(LORA_MISSING) by name for what cannot be laid on a model: other
    decompositions, other families, files that are no LoRA.

    `text_width`: how wide the text is that its UNet reads; None of a transformer.
    """
    shapes = {plain_name(n): tuple(entry["shape"]) for n, entry in header(file).items()}
    _check_form(shapes)
    made_for, expected = lora_family(shapes), _MADE_FOR.get(family, UNET)
    if made_for not in (None, *_KIN.get(expected, (expected,))):
        _refuse(f"was made for {_what_unet(shapes) if made_for == UNET else made_for}")
    if text_width is None:
        return
    width = _text_width(shapes)
    if width is not None and width != text_width:
        _refuse(f"was made for {_told(width)}; this model is {_told(text_width)}")
    if not has_second_encoder and any(n.startswith(("lora_te2", "text_encoder_2")) for n in shapes):
        _refuse(f"was made for SDXL; this model is {_told(text_width)}")


def lora_family(names: Iterable[str]) -> str | None:
    """The family whose layers a LoRA's names are; None where they do not say (of the text encoder
    alone, or of names that several have)."""
    every = [name.replace("_", ".") for name in names]
    return next(
        (told for piece, told in _FAMILIES if any(re.search(piece, name) for name in every)), None
    )


def plain_name(name: str) -> str:
    """A tensor's name without the adapter's own, as PEFT has it: `lora_A.default.weight`."""
    return _NAMED.sub(r".\1", name)


def _check_form(shapes: Shapes) -> None:
    told = content_of(shapes)
    for piece, form in _OTHER_FORMS:
        if any(_has(name, piece) for name in shapes):
            _refuse(f"is {form}, which cannot be laid on without fusing it")
    if any(name.endswith(DECOMPOSED) for name in shapes) and any(_is_of_text(n) for n in shapes):
        _refuse("is a DoRA, LoHa or LoKr that changes text encoders, too: only plain LoRAs can")
    if told is not None and told.problem != IS_LORA:
        _refuse(told.problem)
    if told is None:
        _refuse("holds no layers of a LoRA")


def _has(name: str, piece: str) -> bool:
    return name.endswith(piece[:-1]) if piece.endswith("$") else piece in name


def _is_of_text(name: str) -> bool:
    return name.startswith(OF_TEXT)


def _what_unet(shapes: Shapes) -> str:
    width = _text_width(shapes)
    return "a Stable Diffusion UNet" if width is None else _told(width)


def _text_width(shapes: Shapes) -> int | None:
    """How wide the words are that its attention over them reads; None if it changes none."""
    for name, shape in shapes.items():
        down = name.endswith(("lora_down.weight", "lora_A.weight", "lora.down.weight"))
        if down and "attn2" in name and ("to_k" in name or "to_v" in name):
            return shape[1]
    return None


def _told(width: int) -> str:
    return _FAMILY_OF_TEXT.get(width, f"another family (text {width} wide)")


def _refuse(problem: str) -> NoReturn:
    raise RequestError(ErrorCode.LORA_MISSING, f"it {problem}")
