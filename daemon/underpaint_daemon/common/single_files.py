"""Single-file checkpoints: one safetensors file that holds a whole model. No torch.

What such a file is stands in its header: the names and shapes of its tensors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

SUFFIX = ".safetensors"
_UNET = "model.diffusion_model."
_FIRST_LAYER = _UNET + "input_blocks.0.0.weight"
_VAE = "first_stage_model."
_CHANNELS = 4
_HEADER_LIMIT = 100_000_000
_FAMILY_OF_TEXT_ENCODER = {
    "conditioner.embedders.1.model.": "sdxl",
    "cond_stage_model.transformer.": "sd15",
}
_FOLDER_HINT = (
    "Convert it to a folder in the diffusers format, and give the folder; or give a whole "
    "Stable Diffusion 1.5 or XL checkpoint."
)
# What people have in the same format, by a piece of a tensor's name.
_OTHERS = (
    ("lora", "is a LoRA, not a model", "Give it with --lora FILE:WEIGHT, beside a model."),
    (
        "control_model.",
        "is a ControlNet, not a model",
        "Convert it to a folder in the diffusers format, and give it with --control.",
    ),
    ("cond_stage_model.model.", "is a Stable Diffusion 2 checkpoint", _FOLDER_HINT),
    ("double_blocks.", "is a FLUX checkpoint", _FOLDER_HINT),
    ("joint_blocks.", "is a Stable Diffusion 3 checkpoint", _FOLDER_HINT),
    ("down_blocks.", "is one network of a model in the diffusers format", _FOLDER_HINT),
)


def config_folder(family: str) -> Path:
    """The configurations of a family that ship with the daemon."""
    return Path(__file__).parents[1] / "model_configs" / family


def header(file: Path) -> dict[str, Any]:
    """A safetensors file's tensors: name → {dtype, shape, data_offsets}.

    Raises RequestError(MODEL_BROKEN) unless the file's length is what its header says.
    """
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            entries = json.loads(stream.read(min(length, _HEADER_LIMIT)))
        tensors = {key: entry for key, entry in entries.items() if key != "__metadata__"}
        end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(
            ErrorCode.MODEL_BROKEN, f"{file} is not a safetensors file: {error}"
        ) from error
    size = file.stat().st_size
    if size != 8 + length + end:
        raise RequestError(
            ErrorCode.MODEL_BROKEN, f"{file} is {size} bytes; its header says {8 + length + end}"
        )
    return tensors


def family_of(file: Path) -> str:
    """The family of a checkpoint, "sd15" or "sdxl".

    Raises RequestError(MODEL_BROKEN) that says what the file is instead, or what it lacks.
    """
    tensors = header(file)
    if _FIRST_LAYER not in tensors:
        _refuse(file, tensors)
    channels = tensors[_FIRST_LAYER]["shape"][1]
    if channels != _CHANNELS:
        _broken(file, f"takes {channels} channels: it was made for inpainting or edits")
    if not any(name.startswith(_VAE) for name in tensors):
        _broken(file, "has no VAE in it")
    for prefix, family in _FAMILY_OF_TEXT_ENCODER.items():
        if any(name.startswith(prefix) for name in tensors):
            return family
    _refuse(file, tensors)


def is_half(file: Path) -> bool:
    """Whether the weights are stored in 16 bits."""
    return str(header(file)[_FIRST_LAYER]["dtype"]) in ("F16", "BF16")


def _refuse(file: Path, tensors: Mapping[str, Any]) -> NoReturn:
    for piece, problem, hint in _OTHERS:
        if any(piece in name for name in tensors):
            _broken(file, problem, hint)
    _broken(file, "is no checkpoint of a family that is known here")


def _broken(file: Path, problem: str, hint: str = _FOLDER_HINT) -> NoReturn:
    raise RequestError(ErrorCode.MODEL_BROKEN, f"{file} {problem}", hint=hint)
