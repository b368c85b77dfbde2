"""The family of a model folder, told by the pipeline that its index names. No torch, no code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

from . import single_files
from .contents.foreign import family_of_foreign, refuse_no_painter, room_of_diffusers
from .model_files import broken, read_json

_OF_CLASS = {
    "StableDiffusion3": "sd35",
    "FluxFill": "flux1_fill",
    "FluxKontext": "flux1_kontext",
    "FluxControlNet": "flux1",
    "FluxControl": "flux1_control",
    "Flux2Klein": "flux2_klein",
    "Flux2": "flux2",
    "Flux": "flux1",
    "QwenImageEditPlus": "qwen_edit_plus",
    "QwenImageEdit": "qwen_edit",
    "QwenImage": "qwen_image",
    "ZImage": "z_image",
    "Chroma": "chroma",
    "Sana": "sana",
}
_TASKS = ("", "Img2Img", "Inpaint", "ControlNet", "ControlNetInpaint", "ControlNetImg2Img")
_LIBRARIES = ("diffusers", "transformers")
_JUDGES = ("safety_checker", "watermarker")  # no painter's parts
_SUFFIX, _MODULAR = "Pipeline", "ModularPipeline"
_FAMILY_OF_PREFIX = {
    "StableDiffusionXL": "sdxl",
    "StableDiffusion": "sd15",
    "LatentConsistencyModel": "sd15",
}
_OTHER_PIPELINES = (
    ("ImageVariation", "is an image variation model: it takes a picture in place of words"),
    ("UnCLIP", "is an unCLIP model: it takes a picture in place of words"),
    ("Upscale", "is an upscaling model"),
)
_UNLIKE_PREFIXES = ("StableDiffusion3", "StableDiffusionUpscale", "StableDiffusionLatentUpscale")
Part = tuple[str, str]
"""Library, or a room of diffusers' own, and class."""


def family_of_pipeline(name: str) -> str | None:
    """The family of a pipeline's class; that of the foreign for one that Underpaint has no file
    for, None for what does not paint pictures."""
    stem = name.removesuffix(_SUFFIX)
    for start, family in _OF_CLASS.items():
        if stem in [f"{start}{task}" for task in _TASKS]:
            return family
    return family_of_foreign(name)


def kin_of(family: str, index: Mapping[str, Any]) -> str:
    """The family whose networks are in a modular pipeline; any other is its own."""
    name = str(index.get("_class_name", ""))
    if not name.endswith(_MODULAR):
        return family
    stem = name.removesuffix(_MODULAR)
    found = _FAMILY_OF_PREFIX.get(stem) or family_of_pipeline(f"{stem}{_SUFFIX}")
    return family if found is None or found.startswith("auto") else found


def parts_of(folder: Path, index: Mapping[str, Any]) -> dict[str, Part]:
    """The parts of a model by their names in its index; those that are left out are not in it.

    Raises RequestError(MODEL_BROKEN) for a part that only code inside the folder could load.
    """
    found: dict[str, Part] = {}
    for name, entry in index.items():
        if not is_part(entry) or entry == [None, None] or name in _JUDGES:
            continue
        if entry[0] not in _LIBRARIES and room_of_diffusers(str(entry[0])) is None:
            _refuse(folder, f"has a {name} that is neither diffusers' nor transformers': {entry!r}")
        found[name] = (str(entry[0]), str(entry[1]))
    return found


def is_part(entry: Any) -> bool:
    """Whether an entry of an index is a library and a class, or an empty part, and no setting."""
    whole = isinstance(entry, list) and len(entry) == 2
    return whole and all(word is None or isinstance(word, str) for word in entry)


def is_network(folder: Path) -> bool:
    """Whether a part has weights."""
    return (folder / "config.json").is_file()


def _refuse(folder: Path, problem: str) -> NoReturn:
    raise RequestError(
        ErrorCode.MODEL_BROKEN,
        f"{folder} {problem}",
        hint="Underpaint runs no code that comes with a model; use one that needs none.",
    )


def family_of_index(folder: Path, index: Mapping[str, Any]) -> str:
    """The family of a model's folder by its index. Raises RequestError(MODEL_BROKEN): what paints
    no pictures from words, and what is not known here."""
    name = str(index.get("_class_name", ""))
    _refuse_others(folder, name)
    if not name.startswith(_UNLIKE_PREFIXES) and not name.endswith(_MODULAR):
        for prefix, family in _FAMILY_OF_PREFIX.items():
            if name.startswith(prefix):
                return _of_channels(folder, family, index)
    found = family_of_pipeline(name)
    if found is None:
        refuse_no_painter(folder, name)
    return found


def _refuse_others(folder: Path, pipeline: str) -> None:
    """Name what is of the same make as a text-to-image model, and is none."""
    for piece, problem in _OTHER_PIPELINES:
        if piece in pipeline:
            _unfit(folder, problem)


def _of_channels(folder: Path, family: str, index: Mapping[str, Any]) -> str:
    """What else is of a family's make, told by its text encoders and its UNet's channels."""
    if family == "sdxl" and "text_encoder" in index and not any(index["text_encoder"] or ()):
        return "sdxl_refiner"
    config = folder / "unet" / "config.json"
    channels = read_json(config).get("in_channels", 4) if config.is_file() else 4
    if not isinstance(channels, int):
        broken(config, f"says in_channels: {channels!r}, no number")
    found = single_files.family_by_channels(family, channels)
    if found is None:
        _unfit(folder, single_files.CHANNELS_OF_OTHERS[channels])
    return found


def _unfit(folder: Path, problem: str) -> NoReturn:
    raise RequestError(ErrorCode.MODEL_BROKEN, f"{folder} {problem}", hint=single_files.OTHER_HINT)
