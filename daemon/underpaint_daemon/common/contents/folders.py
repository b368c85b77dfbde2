"""A model's index, and what a folder is that has none. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, RequestError

from ..model_files import INDEX, read_json
from ..places import MODULAR_INDEX
from .disguises import Told, disguise_of
from .modular import OF_BLOCKS, modular_index

_PICKLES = ("*.ckpt", "*.pt", "*.pth", "*.bin")
_MODEL = "Give a model's whole folder: the one that has model_index.json in it."
_CONTROL = "Give it to a control (--control KIND@FOLDER), beside a model."


def index_of(folder: Path) -> dict[str, Any]:
    """A model's index. Raises RequestError(MODEL_BROKEN) that says what a folder without one is."""
    if (folder / INDEX).is_file():
        return read_json(folder / INDEX)
    if (folder / MODULAR_INDEX).is_file():
        return modular_index(folder)
    told = _told(folder)
    raise RequestError(ErrorCode.MODEL_BROKEN, f"{folder} {told.problem}", hint=told.hint)


def _told(folder: Path) -> Told:
    if (folder / INDEX).is_symlink():
        told = disguise_of(folder / INDEX)
        if told is not None:
            return Told(f"has an index that {told.problem}", told.hint)
    if (folder / "config.json").is_file():
        return _network(read_json(folder / "config.json"))
    for name, problem in (
        (OF_BLOCKS, "holds a modular pipeline's blocks alone, without an index of its parts"),
        ("adapter_config.json", "is a LoRA's folder"),
        ("scheduler_config.json", "holds a scheduler alone"),
        ("tokenizer_config.json", "holds a tokenizer alone"),
    ):
        if (folder / name).is_file():
            return Told(problem, _MODEL)
    return _files(folder)


def _network(config: dict[str, Any]) -> Told:
    name = str(config.get("_class_name") or next(iter(config.get("architectures") or ()), ""))
    if "ControlNet" in name or "T2IAdapter" in name:
        return Told(f"is a ControlNet ({name}), not a model", _CONTROL)
    if name.startswith("Autoencoder"):
        return Told(f"is a VAE ({name}), not a model", _MODEL)
    library = "diffusers" if "_class_name" in config else "transformers"
    return Told(f"is one network ({name or 'unnamed'}, of {library}), not a model", _MODEL)


def _files(folder: Path) -> Told:
    whole = sorted(folder.glob("*.safetensors"))
    if whole and all("-of-" in file.stem for file in whole):
        return Told(f"has no {INDEX}, but shards ({whole[0].name})", _MODEL)
    if whole:
        return Told(f"has no {INDEX}, but a file {whole[0].name}", f"Give the file: {whole[0]}")
    pickled = sorted(file for pattern in _PICKLES for file in folder.glob(pattern))
    if pickled:
        return Told(
            f"has no {INDEX}, but a pickled file {pickled[0].name}",
            "Pickled files are never read here: take the same model as .safetensors.",
        )
    return Told(f"has no {INDEX}: it is no model in the diffusers format", _MODEL)
