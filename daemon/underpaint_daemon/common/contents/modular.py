"""Modular pipelines of diffusers: a folder with `modular_model_index.json`. No torch, no code.

Its index names each part with where it comes from: this folder, another, or a repository, which is
looked for in Hugging Face's cache and never fetched. Source: diffusers 0.42's
`ModularPipeline.save_pretrained` and `_is_local_component`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ..model_files import broken, fingerprint, read_json
from ..places import MODULAR_INDEX, cached_repository

BLOCKS = "_blocks_class_name"
OF_BLOCKS = "modular_config.json"
_PLACES = "_places"
_SPEC = 3  # entries of a part: library, class, where it comes from
_NO_CODE = "Underpaint runs no code that comes with a model; use one that needs none."


def modular_index(folder: Path) -> dict[str, Any]:
    """A modular pipeline's index, written as that of any other model: each part as [library,
    class]. Raises RequestError(MODEL_BROKEN): blocks that bring their own code, a part that is
    nowhere on this machine."""
    _refuse_code(folder)
    index, places = dict[str, Any](), dict[str, str]()
    for name, entry in read_json(folder / MODULAR_INDEX).items():
        if not _is_part(entry):
            index[name] = entry
            continue
        place = _place(folder, name, entry[-1])
        if place is not None:
            index[name] = _kind(place, entry)
            places |= {} if place == folder / name else {name: str(place)}
    return index | {_PLACES: places}


def part_place(folder: Path, index: Mapping[str, Any], name: str) -> Path:
    """Where a part of a model lies: in its folder, or where a modular index takes it from."""
    return Path(index.get(_PLACES, {}).get(name, folder / name))


def schedule_of(folder: Path, index: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a model's scheduler; empty where the pipeline brings its own. Raises
    RequestError(MODEL_BROKEN)."""
    place = part_place(folder, index, "scheduler")
    if "scheduler" not in index and not place.is_dir():
        return {}
    return read_json(place / "scheduler_config.json")


def places_elsewhere(index: Mapping[str, Any]) -> list[Path]:
    """Where the parts lie that lie outside of a model's folder."""
    return [Path(place) for place in sorted(index.get(_PLACES, {}).values())]


def marks_elsewhere(index: Mapping[str, Any]) -> tuple[tuple[str, int, int], ...]:
    """Changes when those parts do."""
    return tuple(mark for place in places_elsewhere(index) for mark in fingerprint(place))


def _is_part(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == _SPEC and isinstance(entry[-1], dict)


def _refuse_code(folder: Path) -> None:
    if (folder / OF_BLOCKS).is_file() and "auto_map" in read_json(folder / OF_BLOCKS):
        broken(folder, "is a modular pipeline of blocks that bring their own code", _NO_CODE)


def _place(folder: Path, name: str, spec: Mapping[str, Any]) -> Path | None:
    """None of a part that is left out."""
    below = PurePosixPath(str(spec.get("subfolder") or ""))
    below = PurePosixPath() if ".." in below.parts or below.is_absolute() else below
    source = spec.get("pretrained_model_name_or_path")
    named = [folder / below] if below.parts else []
    for own in (*named, folder / name):
        if own.is_dir():
            return own
    if not source:
        return None
    for root in (Path(str(source)), cached_repository(str(source), os.environ, Path.home())):
        if root is not None and root.is_absolute() and (root / below).is_dir():
            return root / below
    broken(
        folder / MODULAR_INDEX,
        f"takes its {name} from {source}, which is not on this machine",
        f"Fetch {source} into Hugging Face's cache, or lay that part here: {folder / name}",
    )


def _kind(place: Path, entry: list[Any]) -> list[Any]:
    """Library and class of a part, by its index, else by its own config."""
    for known in (entry[:2], entry[-1].get("type_hint")):
        if isinstance(known, list) and all(isinstance(word, str) for word in known):
            return known
    config = read_json(place / "config.json")
    if "_class_name" in config:
        return ["diffusers", config["_class_name"]]
    return ["transformers", next(iter(config.get("architectures") or ()), None)]
