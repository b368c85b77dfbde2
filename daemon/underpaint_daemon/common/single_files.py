"""Single-file checkpoints: one safetensors file that holds a whole model. No torch.

What such a file is stands in its header: the names and shapes of its tensors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

from .contents.disguises import disguise_of
from .contents.gguf import MAGIC, gguf_header, is_gguf
from .contents.tensors import content_of

SUFFIX = ".safetensors"
UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
VAE_SUFFIX = ".vae.safetensors"
TEXT_CHANNELS, INPAINT_CHANNELS = 4, 9
V_PREDICTION, EPSILON = "v_prediction", "epsilon"
_FIRST_LAYER = UNET_PREFIX + "input_blocks.0.0.weight"
_HEADER_LIMIT = 100_000_000
_FOLDER_HINT = (
    "Convert it to a folder in the diffusers format, and give the folder; or give a whole "
    "Stable Diffusion 1.5, 2 or XL checkpoint."
)
_VAE_HINT = "Put its VAE beside it, as {name}, or give a checkpoint with the VAE baked in."
# What else has a UNet of the same make, by the channels that it takes.
_BY_CHANNELS = {
    ("sd15", 8): "sd15_edit",
    ("sdxl", 8): "sdxl_edit",
    ("sd15", 5): "sd2_depth",
}
CHANNELS_OF_OTHERS = {
    5: "is a depth2img model of a family that has none here",
    7: "is an upscaling model",
    8: "is an InstructPix2Pix model of a family that has none here",
}
# Karras et al. 2022: Playground 2.5, CosXL. The usual samplers would paint noise with them.
EDM_HINT = "Take another model of SDXL's make; Playground 2 (not 2.5) is one."
_EDM_MARKS = ("edm_mean", "edm_vpred.sigma_max")  # as ComfyUI tells them
OTHER_HINT = "Give a text-to-image or inpainting model of Stable Diffusion 1.5, 2 or XL."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint's header tells. `configs`: which of the shipped configurations are its
    own. `channels`: that its UNet takes; 9 were made for inpainting. `prediction`: None leaves it
    to the configuration. `vae`: whether it is baked in. `text_prefixes`: where each text encoder's
    tensors are."""

    path: Path
    family: str
    configs: str
    channels: int
    prediction: str | None
    zero_snr: bool
    vae: bool
    text_prefixes: Mapping[str, str]

    @property
    def inpaints(self) -> bool:
        """Whether it was made for masks, and for nothing else."""
        return self.channels == INPAINT_CHANNELS


# By the start of a tensor's name: family, configurations, and each encoder's prefix.
_KINDS: tuple[tuple[str, str, str, Mapping[str, str]], ...] = (
    (
        "conditioner.embedders.1.model.",
        "sdxl",
        "sdxl",
        {
            "text_encoder": "conditioner.embedders.0.transformer.",
            "text_encoder_2": "conditioner.embedders.1.model.",
        },
    ),
    (
        "cond_stage_model.transformer.",
        "sd15",
        "sd15",
        {"text_encoder": "cond_stage_model.transformer."},
    ),
    ("cond_stage_model.model.", "sd15", "sd2", {"text_encoder": "cond_stage_model.model."}),
    (
        "conditioner.embedders.0.model.",
        "sdxl_refiner",
        "sdxl_refiner",
        {"text_encoder_2": "conditioner.embedders.0.model."},
    ),
)


_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "I8", "U8", "BOOL"), 1),
}


def config_folder(family: str) -> Path:
    """The configurations of a family that ship with the daemon."""
    return Path(__file__).parents[1] / "model_configs" / family


def header(file: Path) -> dict[str, Any]:
    """A safetensors or GGUF file's tensors: name → {dtype, shape, data_offsets}, which count from
    `data_start`.

    Raises RequestError(MODEL_BROKEN) unless the file's length is what its header says, and each
    tensor's bytes are as many as its shape and type need.
    """
    try:
        if is_gguf(file):
            return gguf_header(file)
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            entries = json.loads(stream.read(min(length, _HEADER_LIMIT)))
        tensors = {key: entry for key, entry in entries.items() if key != "__metadata__"}
        end = max((_end(name, entry) for name, entry in tensors.items()), default=0)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        _refuse_disguised(file, error)
    size = file.stat().st_size
    if size != 8 + length + end:
        raise RequestError(
            ErrorCode.MODEL_BROKEN, f"{file} is {size} bytes; its header says {8 + length + end}"
        )
    return tensors


def data_start(file: Path) -> int:
    """Where the bytes begin that `header` counts from."""
    with file.open("rb") as stream:
        length = stream.read(8)
    return 0 if length.startswith(MAGIC) else 8 + int.from_bytes(length, "little")


def _refuse_disguised(file: Path, error: Exception) -> NoReturn:
    """Say what a file is that is no safetensors file."""
    try:
        told = disguise_of(file)
    except OSError:
        told = None
    if told is not None:
        raise RequestError(
            ErrorCode.MODEL_BROKEN, f"{file} {told.problem}", hint=told.hint
        ) from error
    problem = f"{file} is not a safetensors file: {error}"
    raise RequestError(ErrorCode.MODEL_BROKEN, problem) from error


def _end(name: str, entry: Mapping[str, Any]) -> int:
    """Where a tensor's bytes end. Raises ValueError, LookupError, TypeError for what is none."""
    begin, end = entry["data_offsets"]
    numbers = (begin, end, *entry["shape"])
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise ValueError(f"{name} has the shape {entry['shape']}, at {begin} to {end}")
    wide = _BYTES.get(entry["dtype"])
    if wide is not None and end - begin != wide * math.prod(entry["shape"]):
        raise ValueError(f"{name} of shape {entry['shape']} is not {end - begin} bytes long")
    return int(end)


def family_of(file: Path) -> str:
    """The family of a checkpoint (see `recognise`)."""
    return recognise(file).family


def family_by_channels(base: str, channels: int) -> str | None:
    """What a UNet of a family's make with so many input channels is; None of what is not painted
    with here."""
    if channels not in CHANNELS_OF_OTHERS:
        return base
    return _BY_CHANNELS.get((base, channels))


def recognise(file: Path) -> Checkpoint:
    """What a checkpoint is.

    v-prediction and zero terminal SNR are told by keys of the file (`v_pred`, `ztsnr`), by a
    `.yaml` beside it, or by its `NAME.underpaint.json`. Raises RequestError(MODEL_BROKEN) that says
    what the file is instead, or what it lacks.
    """
    tensors = header(file)
    if _FIRST_LAYER not in tensors:
        _refuse(file, tensors)
    if any(mark in tensors for mark in _EDM_MARKS):
        _broken(file, "has the noise levels of EDM, which no sampler here has", EDM_HINT)
    channels = tensors[_FIRST_LAYER]["shape"][1]
    base, configs, prefixes = _kind(file, tensors)
    family = family_by_channels(base, channels)
    if family is None:
        _broken(file, CHANNELS_OF_OTHERS[channels], OTHER_HINT)
    prediction, zero_snr = _prediction(file, tensors, configs, channels)
    vae = any(name.startswith(VAE_PREFIX) for name in tensors)
    if not vae and not vae_beside(file).is_file():
        _broken(file, "has no VAE in it", _VAE_HINT.format(name=vae_beside(file).name))
    return Checkpoint(file, family, configs, channels, prediction, zero_snr, vae, prefixes)


def vae_beside(file: Path) -> Path:
    """Where the VAE of a checkpoint without one is looked for."""
    return file.with_suffix(VAE_SUFFIX)


def _kind(file: Path, tensors: Mapping[str, Any]) -> tuple[str, str, Mapping[str, str]]:
    for start, family, configs, prefixes in _KINDS:
        if any(name.startswith(start) for name in tensors):
            return family, configs, prefixes
    _refuse(file, tensors)


def _prediction(
    file: Path, tensors: Mapping[str, Any], configs: str, channels: int
) -> tuple[str | None, bool]:
    """What the network predicts, and whether its schedule ends in pure noise."""
    said = _said_beside(file)
    prediction, zero_snr = said.get("prediction"), bool(said.get("zero_snr", "ztsnr" in tensors))
    if prediction in (V_PREDICTION, EPSILON):
        return str(prediction), zero_snr
    if "v_pred" in tensors or _is_v_by_yaml(file.with_suffix(".yaml")):
        return V_PREDICTION, zero_snr
    if configs == "sd2" and channels != TEXT_CHANNELS:  # inpainting and depth2img
        return EPSILON, zero_snr
    return None, zero_snr


def _said_beside(file: Path) -> Mapping[str, Any]:
    """The user's word, in the file that holds what else the model wants."""
    beside = file.with_suffix(".underpaint.json")
    try:
        said = json.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    except (OSError, ValueError) as error:
        _broken(beside, f"cannot be read: {error}")
    return said if isinstance(said, dict) else {}


def _is_v_by_yaml(file: Path) -> bool:
    """The configurations that checkpoints are trained with say `parameterization: "v"`."""
    if not file.is_file():
        return False
    for line in file.read_text("utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "parameterization":
            return value.split("#")[0].strip().strip("\"'") == "v"
    return False


def _refuse(file: Path, tensors: Mapping[str, Any]) -> NoReturn:
    told = content_of(tensors)
    if told is not None:
        _broken(file, told.problem, told.hint)
    _broken(file, "is no checkpoint of a family that is known here")


def _broken(file: Path, problem: str, hint: str = _FOLDER_HINT) -> NoReturn:
    raise RequestError(ErrorCode.MODEL_BROKEN, f"{file} {problem}", hint=hint)


def found_by_name(models: Path, name: str, places: Sequence[str], what: str) -> Path:
    """Where a file or folder is: a full path, or a name in one of the `places` in `models`, with
    or without the suffix. Raises RequestError(CONTROL_MISSING), which calls it `what`."""
    given = Path(name)
    tried = [given] if given.is_absolute() else [models / place / name for place in places]
    for path in (*tried, *(one.with_name(one.name + SUFFIX) for one in tried)):
        if path.exists():
            return path
    raise RequestError(
        ErrorCode.CONTROL_MISSING,
        f"There is no {what} {name!r}",
        hint=f"Give its full path, or the name of one in {models}.",
    )
