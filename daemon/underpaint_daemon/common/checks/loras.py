"""A request's LoRAs, by their files' headers: told before the model is loaded. No torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import Request
from underpaint.requests.parts import loras_of

from ..abilities import ABILITIES
from ..defaults.glance import glance
from ..holdings import loras_in
from ..lora_files import check_lora
from ..models import PARTS_OF_FAMILY, model_folder

_FILES = ("adapter_model.safetensors", "pytorch_lora_weights.safetensors")


def check_lora_files(request: Request, paths: Paths) -> None:
    """Raise RequestError(LORA_MISSING) for a LoRA that is not there, or is for another family than
    the request's model."""
    loras = loras_of(request)
    if not loras:
        return
    place = model_folder(paths, request.model)
    seen = glance(paths, place)
    if not ABILITIES[seen.family].lora:
        return
    parts = PARTS_OF_FAMILY.get(seen.family)
    width = None if parts is None else seen.denoiser.get("cross_attention_dim")
    second = parts is None or "text_encoder_2" in parts
    for path in dict.fromkeys(lora.path for lora in loras):
        file = find_lora(place, path)
        try:
            check_lora(file, seen.family, width, has_second_encoder=second)
        except RequestError as error:
            raise unfit(file, error.message) from error


def find_lora(place: Path, name: str) -> Path:
    """A LoRA's file: by its full path, that of the folder it was published in, or by the name of
    one that lies with the model. `place`: the model's folder or file.

    Raises RequestError(LORA_MISSING).
    """
    given, folder = Path(name), place.with_suffix("") if place.is_file() else place
    own = folder / "loras" / f"{given.name.removesuffix('.safetensors')}.safetensors"
    if given.is_absolute():
        if os.path.isdir(given):
            return _in_folder(given)
        if os.path.islink(given) and not os.path.exists(given):
            _refuse(
                f"The LoRA {given} is a link to a file that is gone: the cache that it was in has "
                "been cleared"
            )
        if os.path.isfile(given):
            return given
    elif given.name == name and os.path.isfile(own):
        return own
    names = ", ".join(loras_in(folder)) or "none"
    _refuse(f"There is no LoRA {name!r}; the model's own are: {names}")


def unfit(file: Path, problem: str) -> RequestError:
    """Of a LoRA that cannot be laid on a model."""
    told = f"The LoRA {file.name} does not fit the model: {problem}"
    return RequestError(ErrorCode.LORA_MISSING, told)


def _in_folder(folder: Path) -> Path:
    """The one LoRA that a folder holds, as PEFT and diffusers publish them."""
    for name in _FILES:
        if (folder / name).is_file():
            return folder / name
    found = sorted(folder.glob("*.safetensors"))
    if len(found) == 1:
        return found[0]
    _refuse(f"The folder {folder} holds {len(found)} safetensors files, not one: name the LoRA's")


def _refuse(problem: str) -> NoReturn:
    raise RequestError(ErrorCode.LORA_MISSING, problem)
