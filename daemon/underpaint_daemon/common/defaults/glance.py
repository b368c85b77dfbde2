"""What a model's configs tell before it is loaded, for its defaults and abilities. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from underpaint.paths import Paths

from ..contents.checkpoints import configs_of
from ..contents.folders import index_of
from ..contents.modular import part_place, schedule_of
from ..denoisers.files import Denoiser, denoiser_in
from ..denoisers.rest import rest_of
from ..denoisers.whole import Rest
from ..holdings import controls_in
from ..model_files import read_json
from ..models import native_size_beside, native_size_of
from ..recognition import family_of_index
from ..single_files import recognise


@dataclass(frozen=True, slots=True)
class Glance:
    """What a model's configs tell without its weights. `denoiser`: the config of its UNet or
    transformer; `scheduler`: the class its scheduler config names; `index`: its pipeline's."""

    family: str
    native_size: int
    controls: tuple[str, ...]
    denoiser: dict[str, Any]
    scheduler: str = ""
    index: Mapping[str, Any] = field(default_factory=dict)


def glance(paths: Paths, place: Path) -> Glance:
    """Look at a model's folder or single file. Raises RequestError(MODEL_BROKEN)."""
    if place.is_file():
        lone = denoiser_in(place)
        if lone is not None:
            return _glance_lone(lone, rest_of(paths, lone))
        found = recognise(place)
        family, controls, scheduler = found.family, controls_in(place.with_suffix("")), ""
        configs = configs_of(found)
        index: Mapping[str, Any] = {}
    else:
        index = index_of(place)
        family, configs = family_of_index(place, index), place
        controls = controls_in(place)
        scheduler = str(schedule_of(place, index).get("_class_name"))
    part = "transformer" if "transformer" in index else "unet"
    file = part_place(configs, index, part) / "config.json"
    denoiser = read_json(file) if part in index or file.is_file() else {}
    return Glance(family, native_size_of(configs), tuple(controls), denoiser, scheduler, index)


def _glance_lone(lone: Denoiser, rest: Rest) -> Glance:
    return Glance(
        family=rest.family,
        native_size=native_size_beside(rest),
        controls=tuple(controls_in(lone.path.with_suffix(""))),
        denoiser=dict(rest.config),
        scheduler=str(rest.scheduler.get("_class_name")),
        index=rest.index,
    )
