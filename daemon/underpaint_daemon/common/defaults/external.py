"""ControlNets that lie among the models by themselves, for models that bring none of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from underpaint.errors import RequestError
from underpaint.paths import Paths
from underpaint.requests import ControlKind

from ..model_files import read_json
from .distilled import words_of

_CLASS = "ControlNetModel"
# What the names of published ControlNets say beside our own words for the kinds.
_OTHER_WORDS: Mapping[str, ControlKind] = {
    "normalbae": ControlKind.NORMAL,
    "zoe": ControlKind.DEPTH,
    "midas": ControlKind.DEPTH,
    "hed": ControlKind.SOFTEDGE,
    "pidi": ControlKind.SOFTEDGE,
    "pose": ControlKind.OPENPOSE,
    "seg": ControlKind.SEGMENT,
    "sketch": ControlKind.SCRIBBLE,
}
_WORDS = {**{kind.value: kind for kind in ControlKind}, **_OTHER_WORDS}


@dataclass(frozen=True, slots=True)
class ControlFile:
    """A ControlNet on disk: what it is conditioned on, and what tells the UNets that it fits."""

    kind: ControlKind
    path: Path
    shape: tuple[Any, ...]


def control_files(paths: Paths) -> list[ControlFile]:
    """The ControlNets in `Paths.models` and its folders, whose names say what they are for."""
    return sorted(_found(paths.models), key=lambda found: (found.kind, found.path.name.lower()))


def fitting(files: list[ControlFile], unet: Mapping[str, Any]) -> dict[ControlKind, Path]:
    """The first ControlNet of each kind that a UNet of this config takes."""
    shape = network_shape(unet)
    return {file.kind: file.path for file in reversed(files) if file.shape == shape}


def network_shape(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a ControlNet copies of the UNet that it was trained for: text and channel widths."""
    text, channels = config.get("cross_attention_dim"), config.get("block_out_channels")
    width = text[0] if isinstance(text, list) and text else text
    return width, tuple(channels) if isinstance(channels, list) else None


def _found(models: Path) -> Iterator[ControlFile]:
    if not models.is_dir():
        return
    for file in [*models.glob("*/config.json"), *models.glob("*/*/config.json")]:
        kind = kind_of(file.parent.name)
        if kind is not None and (shape := _shape(file)) is not None:
            yield ControlFile(kind, file.parent, shape)


def kind_of(name: str) -> ControlKind | None:
    """What a ControlNet's name says it is for."""
    return next((_WORDS[word] for word in words_of(name) if word in _WORDS), None)


def _shape(file: Path) -> tuple[Any, ...] | None:
    """None of what is no ControlNet of its own: parts of models, broken files."""
    try:
        config = read_json(file)
    except RequestError:
        return None
    own = (
        config.get("_class_name") == _CLASS and not (file.parents[1] / "model_index.json").exists()
    )
    return network_shape(config) if own else None
