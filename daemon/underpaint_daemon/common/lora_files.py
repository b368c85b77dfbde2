"""What a LoRA's file is, told from the names of its tensors: which can be laid on, which cannot.

Kohya's, LyCORIS' and diffusers' spellings of plain LoRA (linear and convolutional, with alpha, of
the UNet, the text encoders, or both) are laid on by diffusers. Other decompositions would be
dropped without a word, or with a word that names no file: they are refused here by their names.
No torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from underpaint.errors import ErrorCode, RequestError

from .single_files import header

# By the end, or a piece, of a tensor's name.
_OTHER_FORMS = (
    ("dora_scale", "a DoRA (weights decomposed into direction and size)"),
    ("lora_magnitude_vector", "a DoRA (weights decomposed into direction and size)"),
    ("lokr_w", "a LoKr (LyCORIS, Kronecker products)"),
    ("hada_w", "a LoHa (LyCORIS, Hadamard products)"),
    ("oft_", "an OFT (orthogonal finetuning)"),
    ("boft_", "a BOFT (orthogonal finetuning)"),
    ("lora_mid", "a LoCon in Tucker's form (LyCORIS, use_tucker)"),
    (".a1.weight", "a GLoRA (LyCORIS)"),
    ("on_input", "an IA3 (LyCORIS)"),
)
_OF_OTHER_FAMILIES = (
    ("double_blocks", "FLUX"),
    ("single_transformer_blocks", "FLUX"),
    ("joint_blocks", "Stable Diffusion 3"),
    ("transformer.transformer_blocks", "a transformer family"),
)
_FAMILY_OF_TEXT = {768: "SD 1.5", 1024: "SD 2", 2048: "SDXL"}


def check_lora(file: Path, text_width: int, *, has_second_encoder: bool) -> None:
    """Raise RequestError(LORA_MISSING) by name for what cannot be laid on a UNet that reads text
    `text_width` wide: other decompositions, other families, files that are no LoRA."""
    shapes = {name: tuple(entry["shape"]) for name, entry in header(file).items()}
    for piece, told in _OTHER_FORMS:
        if any(piece in name for name in shapes):
            _refuse(f"is {told}, which cannot be laid on without fusing it")
    for piece, family in _OF_OTHER_FAMILIES:
        if any(piece in name for name in shapes):
            _refuse(f"was made for {family}")
    width = _text_width(shapes)
    if width is not None and width != text_width:
        _refuse(f"was made for {_told(width)}; this model is {_told(text_width)}")
    if not has_second_encoder and any(n.startswith(("lora_te2", "text_encoder_2")) for n in shapes):
        _refuse(f"was made for SDXL; this model is {_told(text_width)}")


def _text_width(shapes: Mapping[str, tuple[int, ...]]) -> int | None:
    """How wide the words are that its attention over them reads; None if it changes none."""
    for name, shape in shapes.items():
        down = name.endswith(("lora_down.weight", "lora_A.weight", "lora.down.weight"))
        if down and "attn2" in name and ("to_k" in name or "to_v" in name):
            return shape[1]
    return None


def _told(width: int) -> str:
    return _FAMILY_OF_TEXT.get(width, f"of another family (text {width} wide)")


def _refuse(problem: str) -> NoReturn:
    raise RequestError(ErrorCode.LORA_MISSING, f"it {problem}")
