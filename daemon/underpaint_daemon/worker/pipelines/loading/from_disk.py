"""Load a model, a folder or a file, into its components: safetensors only, from the disk only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import torch

from underpaint.paths import Paths
from underpaint.requests import Sampler
from underpaint_daemon.common.contents.checkpoints import configs_of, schedule_of_checkpoint
from underpaint_daemon.common.contents.folders import index_of
from underpaint_daemon.common.contents.modular import schedule_of
from underpaint_daemon.common.defaults.own_file import own_wants
from underpaint_daemon.common.denoisers.files import Denoiser, denoiser_in
from underpaint_daemon.common.denoisers.rest import rest_of
from underpaint_daemon.common.embedding_files import embedding_files
from underpaint_daemon.common.model_files import INDEX, broken, quantised_by, read_json
from underpaint_daemon.common.models import ModelInfo, inspect, inspect_file, model_folder
from underpaint_daemon.common.places import followed
from underpaint_daemon.common.recognition import is_network
from underpaint_daemon.common.single_files import recognise

from .. import samplers
from ..families import FAMILIES, FOREIGN, Family, foreign_family
from ..families.named import NAMED, Named
from ..families.vocabulary import Vocabulary
from .checkpoint import load_checkpoint
from .components import LoadedModel
from .controlnets import ControlNets
from .digests import whole_digest
from .folders import load_beside_unet_of, load_network
from .lone import load_lone, load_with_unet, lone_digest
from .networks import LOAD_ERRORS, Device, best_device, first_line
from .parts import denoiser_of, load_parts


def load_model(paths: Paths, name: str, place: Device | None = None) -> LoadedModel:
    """Load a model by name ("starter", one in `Paths.models`) or absolute path.

    Raises RequestError: MODEL_MISSING, or MODEL_BROKEN with the file named.
    """
    place = place or best_device()
    found = followed(model_folder(paths, name))
    if found.is_file():
        return _from_file(paths, name, found, place)
    info, index = inspect(name, found), index_of(found)
    family = _family_of(info, index, found)
    place = _precision(place, family, quantised=_of_torchao(found, index))
    parts = _load_parts(found, family, index, place)
    return _loaded(paths, info, found, parts, index, schedule_of(found, index), place)


def _family_of(info: ModelInfo, index: Mapping[str, Any], found: Path) -> Family:
    if info.family in FOREIGN:
        return foreign_family(info.family, index, found)
    return FAMILIES[info.family]


def _from_file(paths: Paths, name: str, file: Path, place: Device) -> LoadedModel:
    """A single file, used where it lies; ControlNets and LoRAs may lie in a folder beside it."""
    lone = denoiser_in(file)
    if lone is not None:
        return _from_lone(paths, name, lone, place)
    info, found = inspect_file(paths, name, file), recognise(file)
    index = read_json(configs_of(found) / INDEX)
    parts = load_checkpoint(found, FAMILIES[info.family], place, paths.cache)
    return _loaded(paths, info, file, parts, index, schedule_of_checkpoint(found), place)


def _from_lone(paths: Paths, name: str, lone: Denoiser, place: Device) -> LoadedModel:
    """A file with a transformer or UNet alone, and the parts that were found for it."""
    info, rest = inspect_file(paths, name, lone.path), rest_of(paths, lone)
    family = FAMILIES[rest.family]
    place = _precision(place, family)
    if lone.is_unet:
        parts = load_with_unet(lone, rest, family, place, paths.cache)
    else:
        parts = load_lone(lone, rest, place, paths.cache)
    loaded = _loaded(paths, info, lone.path, parts, rest.index, rest.scheduler, place)
    loaded.digest = lone_digest(lone, rest, paths.cache)
    return loaded


def _loaded(
    paths: Paths,
    info: ModelInfo,
    found: Path,
    parts: dict[str, Any],
    index: Mapping[str, Any],
    schedule: Mapping[str, Any],
    place: Device,
) -> LoadedModel:
    folder = found.with_suffix("") if found.is_file() else found
    _try_schedule(schedule, found)
    _check_scale(parts.get("vae"), found)
    family = _family_of(info, index, found)
    if family.text_parts:
        parts[NAMED] = _named(paths, found, family, parts)
    wants = own_wants(found)
    return LoadedModel(
        info=info,
        folder=folder,
        family=family,
        place=place,
        digest=whole_digest(found, index, paths.cache),
        index=index,
        parts=parts,
        scheduler_config=schedule,
        controlnets=ControlNets(folder, info.controls, place, denoiser_of(parts)),
        cache=paths.cache,
        models=paths.models,
        decode_window=wants.decode_window,
        smooth_unguided=bool(wants.smooth_unguided),
        upscales=wants.upscales is not False,
        guide_detail=wants.guide_detail or 0.0,
        vocabulary=Vocabulary.of(folder),
    )


def _try_schedule(schedule: Mapping[str, Any], found: Path) -> None:
    """Raise RequestError(MODEL_BROKEN) for a noise schedule that no sampler can be made of."""
    sampler = Sampler.EULER if samplers.is_flow(schedule) else Sampler.DDIM
    _check_number(schedule, "num_train_timesteps", 1000, "noise schedule", found)
    try:
        if samplers.is_foreign(schedule):
            samplers.as_it_is(schedule)
        else:
            samplers.make_scheduler(schedule, sampler)
    except LOAD_ERRORS as error:
        broken(found, f"has a noise schedule that cannot be used: {first_line(error)}")


def _check_scale(vae: Any, found: Path) -> None:
    """Raise RequestError(MODEL_BROKEN) for a VAE whose latents cannot be scaled by what it says."""
    _check_number(getattr(vae, "config", {}), "scaling_factor", 0.18215, "VAE", found)


def _check_number(
    config: Mapping[str, Any], name: str, usual: float, part: str, found: Path
) -> None:
    """`usual`: what it is in Stable Diffusion. What is not said is left to diffusers."""
    said = config.get(name)
    number = isinstance(said, int | float) and not isinstance(said, bool) and said > 0
    if said is not None and not number:
        problem = f"has a {part} that cannot be used: its {name} is {said!r}"
        broken(found, f"{problem}, not a number above 0, such as {usual:g}")


def _named(paths: Paths, found: Path, family: Family, parts: Mapping[str, Any]) -> Named:
    """The model's textual inversions, looked for when a prompt is read."""
    encoders = [parts[text.encoder] for text in family.text_parts]
    widths = tuple(int(one.get_input_embeddings().weight.shape[1]) for one in encoders)
    return Named(lambda: embedding_files(paths, found), widths)


def _of_torchao(folder: Path, index: Mapping[str, Any]) -> bool:
    parts = [folder / name for name in index]
    return any(quantised_by(part) == "torchao" for part in parts if is_network(part))


def _precision(place: Device, family: Family, *, quantised: bool = False) -> Device:
    """Transformers overflow in float16; they were trained in bfloat16. torchao's whole numbers want
    it, too (diffusers' own word)."""
    half = place.dtype == torch.float16 and (family.read is not None or quantised)
    return replace(place, dtype=torch.bfloat16) if half else place


def _load_parts(
    folder: Path, family: Family, index: Mapping[str, Any], place: Device
) -> dict[str, Any]:
    if family.read is not None:
        return load_parts(folder, index, lambda kind, part: load_network(kind, part, place))
    unet = load_network(diffusers.UNet2DConditionModel, folder / "unet", place)
    return {"unet": unet, **load_beside_unet_of(folder, family, place)}
