"""What a ControlNet's folder or file is, told from its header. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

from .contents.headers import header
from .contents.tensors import IS_ADAPTER, IS_CONTROLNET, IS_OWN_CONTROLNET, content_of
from .model_files import check_network, read_json, weight_files
from .single_files import found_by_name

ORIGINAL_PREFIX = "control_model."
_PICKLES = (".pth", ".pt", ".ckpt", ".bin")
_PLACES = ("", "controlnet", "controlnets", "ControlNet")


class Form(StrEnum):
    """Kinds of network that a control image can act through."""

    CONTROLNET = "controlnet"
    UNION = "union"
    ADAPTER = "adapter"
    OWN = "own"
    """Of another family: its config names the class; a file without one has the model's."""


@dataclass(frozen=True, slots=True)
class ControlFile:
    """`path`: what the user gave. `weights`: its safetensors file. `config`: a folder's own, or
    one that lies with a file of another family's; None without. `original`: in the layout of the
    first releases (`input_hint_block`), not in diffusers'. `shapes`: of the tensors, by name."""

    path: Path
    weights: Path
    form: Form
    original: bool
    config: dict[str, Any] | None
    shapes: dict[str, tuple[int, ...]]


OWN_CLASSES = (
    "SD3ControlNetModel",
    "FluxControlNetModel",
    "QwenImageControlNetModel",
    "ZImageControlNetModel",
    "SanaControlNetModel",
)
"""ControlNets of families that have a transformer in place of a UNet."""

_HINT = "Give a ControlNet or T2I-Adapter for this model, in safetensors: a folder or one file."


def find_control(models: Path, name: str) -> Path:
    """Where a network is: a full path, or a name in `models` or its controlnet folder, with or
    without the suffix. Raises RequestError(CONTROL_MISSING)."""
    return found_by_name(models, name, _PLACES, "ControlNet")


def recognise(path: Path) -> ControlFile:
    """What a folder or a single file is. Raises RequestError(MODEL_BROKEN) that says what it is
    instead, or what it lacks."""
    if path.is_dir():
        weights, config = _in_folder(path)
    else:
        if path.suffix in _PICKLES:
            _refuse(path, "is pickled; safetensors weights are needed")
        weights, config = path, _beside(path)
    tensors = header(weights)
    own = config is not None and config.get("_class_name") in OWN_CLASSES
    form, original = (Form.OWN, False) if own else _form(path, tensors)
    shapes = {name: tuple(entry["shape"]) for name, entry in tensors.items()}
    return ControlFile(path, weights, form, original, config, shapes)


def _beside(file: Path) -> dict[str, Any] | None:
    """The config that lies with a file of another family's, which tells more than its weights."""
    config = file.with_name("config.json")
    found = read_json(config) if config.is_file() else {}
    return found if found.get("_class_name") in OWN_CLASSES else None


def _in_folder(folder: Path) -> tuple[Path, dict[str, Any] | None]:
    found = weight_files(folder)
    if (folder / "config.json").is_file():
        check_network(folder)
        return found[0], read_json(folder / "config.json")
    if len(found) != 1:
        _refuse(folder, f"has no config.json, and {len(found)} safetensors files")
    return found[0], None


def _form(path: Path, names: Iterable[str]) -> tuple[Form, bool]:
    given = list(names)
    told = content_of(given)
    if told is not None and told.problem not in (IS_CONTROLNET, IS_ADAPTER):
        if told.problem == IS_OWN_CONTROLNET:
            return Form.OWN, False
        _refuse(path, told.problem)
    every = [name.removeprefix(ORIGINAL_PREFIX) for name in given]

    def has(*starts: str) -> bool:
        return any(name.startswith(starts) for name in every)

    if has("control_add_embedding.", "task_embedding"):
        return Form.UNION, False
    if has("input_hint_block."):
        return Form.CONTROLNET, True
    if has("controlnet_cond_embedding."):
        return Form.CONTROLNET, False
    if has("adapter.body."):
        return Form.ADAPTER, False
    if has("body.0."):
        return Form.ADAPTER, True
    _refuse(path, "is no ControlNet of a kind that is known here")


def _refuse(path: Path, problem: str, hint: str = _HINT) -> NoReturn:
    raise RequestError(ErrorCode.MODEL_BROKEN, f"{path} {problem}", hint=hint)
