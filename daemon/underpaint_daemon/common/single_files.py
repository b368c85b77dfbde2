"""Single-file checkpoints: one safetensors file that holds a whole model. No torch.

What such a file is stands in its header: the names and shapes of its tensors.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

from .contents.disguises import Told
from .contents.headers import Marks, header, marks_of_file
from .contents.tensors import content_of
from .contents.unread import unread_in

SUFFIX = ".safetensors"
UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
VAE_SUFFIX = ".vae.safetensors"
TEXT_CHANNELS, INPAINT_CHANNELS = 4, 9
V_PREDICTION, EPSILON = "v_prediction", "epsilon"
_FIRST_LAYER = UNET_PREFIX + "input_blocks.0.0.weight"
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
_TELLING = frozenset({*_EDM_MARKS, "v_pred", "ztsnr"})
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


def config_folder(family: str) -> Path:
    """The configurations of a family that ship with the daemon."""
    return Path(__file__).parents[1] / "model_configs" / family


def family_of(file: Path) -> str:
    """The family of a checkpoint (see `recognise`)."""
    return recognise(file).family


def family_by_channels(base: str, channels: int) -> str | None:
    """What a UNet of a family's make with so many input channels is; None of what is not painted
    with here."""
    if channels not in CHANNELS_OF_OTHERS:
        return base
    return _BY_CHANNELS.get((base, channels))


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file's header tells of it, however often it is asked. `told`: what it is, by the names
    of its tensors. `channels`: that a Stable Diffusion UNet in it takes. `kind`: a row of `_KINDS`.
    `marks`: of the keys that say something of its schedule, those that it has. `vae`: whether one
    is in it. `unread`: why its weights cannot be read here."""

    told: Told | None
    channels: int | None
    kind: int | None
    marks: frozenset[str]
    vae: bool
    unread: Told | None


def facts_of(file: Path) -> Facts:
    """A file's facts; read once while it is unchanged. Raises RequestError(MODEL_BROKEN)."""
    try:
        marks = marks_of_file(file)
    except OSError:
        header(file)  # says what is wrong
        raise
    return _facts(marks)


@functools.lru_cache(4096)
def _facts(marks: Marks) -> Facts:
    tensors = header(Path(marks[0]))
    first, telling = tensors.get(_FIRST_LAYER), frozenset(_TELLING & tensors.keys())
    unread = unread_in(tensors)
    if first is None:
        return Facts(content_of(tensors), None, None, telling, vae=False, unread=unread)
    starts = (start for start, *_ in _KINDS)
    kinds = (i for i, start in enumerate(starts) if any(n.startswith(start) for n in tensors))
    kind = next(kinds, None)
    return Facts(
        told=content_of(tensors) if kind is None else None,
        channels=int(first["shape"][1]),
        kind=kind,
        marks=telling,
        vae=any(name.startswith(VAE_PREFIX) for name in tensors),
        unread=unread,
    )


def recognise(file: Path) -> Checkpoint:
    """What a checkpoint is.

    v-prediction and zero terminal SNR are told by keys of the file (`v_pred`, `ztsnr`), by a
    `.yaml` beside it, or by its `NAME.underpaint.json`. Raises RequestError(MODEL_BROKEN) that says
    what the file is instead, or what it lacks.
    """
    facts = facts_of(file)
    if facts.channels is None or facts.kind is None:
        _refuse(file, facts.told)
    check_read(file)
    _, base, configs, prefixes = _KINDS[facts.kind]
    prediction, zero_snr = prediction_of(file, configs, facts.channels)
    family = family_by_channels(base, facts.channels)
    if family is None:
        _broken(file, CHANNELS_OF_OTHERS[facts.channels], OTHER_HINT)
    if not facts.vae and not vae_beside(file).is_file():
        _broken(file, "has no VAE in it", _VAE_HINT.format(name=vae_beside(file).name))
    return Checkpoint(
        file, family, configs, facts.channels, prediction, bool(zero_snr), facts.vae, prefixes
    )


def check_read(file: Path) -> None:
    """Raise RequestError(MODEL_BROKEN) for a file whose weights are in a form that is not read."""
    told = facts_of(file).unread
    if told is not None:
        _broken(file, told.problem, told.hint)


def vae_beside(file: Path) -> Path:
    """Where the VAE of a checkpoint without one is looked for."""
    return file.with_suffix(VAE_SUFFIX)


def prediction_of(file: Path, configs: str, channels: int) -> tuple[str | None, bool | None]:
    """What the UNet in a file predicts, and whether its schedule ends in pure noise; None of what
    nothing says. Raises RequestError(MODEL_BROKEN): EDM's noise levels, a damaged file."""
    said, marks = _said_beside(file), facts_of(file).marks
    if marks & {*_EDM_MARKS}:
        _broken(file, "has the noise levels of EDM, which no sampler here has", EDM_HINT)
    zero_snr = said.get("zero_snr", True if "ztsnr" in marks else None)
    zero_snr = None if zero_snr is None else bool(zero_snr)
    prediction = said.get("prediction")
    if prediction in (V_PREDICTION, EPSILON):
        return str(prediction), zero_snr
    if "v_pred" in marks or _is_v_by_yaml(file.with_suffix(".yaml")):
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


def _refuse(file: Path, told: Told | None) -> NoReturn:
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
        if os.path.exists(path):  # of a name too long for the disk, false
            return path
    raise RequestError(
        ErrorCode.CONTROL_MISSING,
        f"There is no {what} {name!r}",
        hint=f"Give its full path, or the name of one in {models}.",
    )
