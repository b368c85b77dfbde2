"""Models on disk: where they are, what they can do, and whether their files are whole.

No torch: the server lists models with this. A model is a diffusers-format folder; beside the
standard parts it may hold `controlnet_<kind>/`, `loras/*.safetensors` and `ip_adapter/`. A single
file can be one, too: a whole checkpoint (see `single_files`), or a transformer or UNet whose other
parts are found elsewhere (see `denoisers`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import STARTER_MODEL, ControlKind

from . import single_files
from .abilities import ABILITIES
from .contents.checkpoints import configs_of
from .contents.folders import index_of
from .contents.modular import marks_elsewhere, part_place, schedule_of
from .denoisers.files import Denoiser, denoiser_in
from .denoisers.rest import rest_of
from .denoisers.whole import Rest
from .holdings import CONTROL_PREFIX, controls_in, licence_in, loras_in, megabytes
from .model_files import (
    INDEX,
    broken,
    check_network,
    check_schedule,
    fingerprint,
    read_json,
    side_of,
)
from .places import SUFFIXES, extra_models, is_model_folder, snapshot_of
from .recognition import family_of_index, is_network, parts_of

IP_ADAPTER = "ip_adapter"
_VAE, _VAE_HINT = "AutoencoderKL", "Put the VAE there that the model was published with."
_SHARED_PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
PARTS_OF_FAMILY = {
    "sd15": _SHARED_PARTS,
    "sd15_edit": _SHARED_PARTS,
    "sd2_depth": _SHARED_PARTS,
    "sdxl": (*_SHARED_PARTS, "text_encoder_2", "tokenizer_2"),
    "sdxl_edit": (*_SHARED_PARTS, "text_encoder_2", "tokenizer_2"),
    "sdxl_refiner": ("unet", "vae", "scheduler", "text_encoder_2", "tokenizer_2"),
}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model folder holds. `native_size`: the image side it was trained for, in pixels.
    `problem` says why it cannot be used; empty when it can."""

    name: str
    path: str
    family: str
    controls: tuple[str, ...]
    loras: tuple[str, ...]
    ip_adapter: bool
    size_mb: float
    licence: str
    native_size: int = 512
    problem: str = ""


def starter_folder() -> Path:
    """Where the model that ships with the daemon lies."""
    return Path(__file__).parents[1] / "starter_model"


def list_models(paths: Paths) -> list[dict[str, Any]]:
    """The starter and every model in `Paths.models`, as JSON-like data (see ModelInfo)."""
    return [asdict(describe(paths, name, folder)) for name, folder in known_models(paths)]


def model_folder(paths: Paths, name: str) -> Path:
    """The folder of a model, or its single file: "starter", a name in `Paths.models`, or an
    absolute path. Raises RequestError: MODEL_MISSING, MODEL_BROKEN for a file that is no model."""
    folder = _locate(paths, name)
    # As os.path has it: of a name too long for the disk, or a folder that is shut, false.
    if folder is not None and os.path.isfile(folder):
        _family_of_file(paths, folder)
    elif folder is None or not os.path.isdir(folder):
        known = ", ".join(known_name for known_name, _ in known_models(paths)) or "none yet"
        raise RequestError(ErrorCode.MODEL_MISSING, f"There is no model {name!r}; known: {known}")
    return folder


def family_of(paths: Paths, name: str) -> str:
    """The family of a model by its name or path, from its index or its file's header.

    Raises RequestError: MODEL_MISSING or MODEL_BROKEN.
    """
    place = model_folder(paths, name)
    if place.is_file():
        return _family_of_file(paths, place)
    return family_of_index(place, index_of(place))


def marks_of(paths: Paths, place: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when a model's files do: those of the folder or file, and those that other parts
    come from; and when it is said to predict something else. Raises RequestError(MODEL_BROKEN)."""
    marks = fingerprint(place)
    if place.is_dir():
        return (*marks, *marks_elsewhere(index_of(place)))
    lone = denoiser_in(place)
    if lone is not None:
        rest = rest_of(paths, lone)
        return (*marks, *rest.marks, (f"{rest.scheduler}", 0, 0))
    found = single_files.recognise(place)
    beside = () if found.vae else fingerprint(single_files.vae_beside(place))
    return (*marks, *beside, (f"{found.prediction} {found.zero_snr}", 0, 0))


def _family_of_file(paths: Paths, file: Path) -> str:
    lone = denoiser_in(file)
    return single_files.family_of(file) if lone is None else rest_of(paths, lone).family


def inspect(name: str, folder: Path) -> ModelInfo:
    """Check a model folder without loading it.

    Raises RequestError(MODEL_BROKEN) that names the file: no index, an unknown family, parts
    missing, pickled weights only, or safetensors files that are cut short.
    """
    index = index_of(folder)
    family = family_of_index(folder, index)
    if family in PARTS_OF_FAMILY:
        for part in PARTS_OF_FAMILY[family]:
            _check_part(folder, part, index)
    else:
        _check_parts(folder, index)
    for control in controls_in(folder):
        check_network(folder / f"{CONTROL_PREFIX}{control}")
    return _info(name, folder, family, folder)


def control_folder(folder: Path, kind: ControlKind) -> Path:
    """Where a model keeps its own ControlNet of a kind."""
    return folder / f"{CONTROL_PREFIX}{kind.value}"


def known_models(paths: Paths) -> Iterator[tuple[str, Path]]:
    """Names and places of all models that are looked for: the starter, those in `Paths.models`,
    those in the user's folders."""
    if starter_folder().is_dir():
        yield STARTER_MODEL, starter_folder()
    if paths.models.is_dir():
        for folder in sorted(paths.models.iterdir()):
            single = folder.suffix in SUFFIXES and folder.is_file()
            if (single or is_model_folder(folder)) and folder.name != STARTER_MODEL:
                yield folder.name, folder
    for name, folder in extra_models(paths):
        if name != STARTER_MODEL and not (paths.models / name).exists():
            yield name, folder


def _locate(paths: Paths, name: str) -> Path | None:
    if name == STARTER_MODEL:
        return starter_folder()
    if Path(name).is_absolute():
        return snapshot_of(Path(name))
    if Path(name).name != name or name in ("", ".", ".."):
        return None
    own = paths.models / name
    return own if os.path.exists(own) else dict(extra_models(paths)).get(name, own)


def describe(paths: Paths, name: str, folder: Path) -> ModelInfo:
    """What a model's folder or file holds, or why it cannot be used; raises nothing."""
    try:
        return inspect(name, folder) if folder.is_dir() else inspect_file(paths, name, folder)
    except RequestError as error:
        return ModelInfo(name, str(folder), "", (), (), False, 0.0, "", problem=error.message)


def _info(name: str, folder: Path, family: str, configs: Path) -> ModelInfo:
    return ModelInfo(
        name=name,
        path=str(folder),
        family=family,
        controls=tuple(controls_in(folder)),
        loras=loras_in(folder),
        ip_adapter=(folder / IP_ADAPTER).is_dir(),
        size_mb=megabytes(folder),
        licence=licence_in(folder),
        native_size=native_size_of(configs),
    )


def inspect_file(paths: Paths, name: str, file: Path) -> ModelInfo:
    """What a single file holds, and the folder beside it that is named like it: ControlNets, LoRAs
    and an IP-Adapter may lie there. Raises RequestError(MODEL_BROKEN)."""
    lone = denoiser_in(file)
    if lone is not None:
        return _info_of_lone(name, lone, rest_of(paths, lone))
    found = single_files.recognise(file)
    info = _info(name, file.with_suffix(""), found.family, configs_of(found))
    return replace(info, path=str(file), size_mb=megabytes(file))


def _info_of_lone(name: str, lone: Denoiser, rest: Rest) -> ModelInfo:
    """Its size is what is loaded: the file as it is (GGUF stays packed), and the other parts."""
    for part in rest.loose.values():
        single_files.check_read(part.path)
    beside = lone.path.with_suffix("")
    others = rest.bytes_beside(lone.path) / 1e6
    return ModelInfo(
        name=name,
        path=str(lone.path),
        family=rest.family,
        controls=tuple(controls_in(beside)),
        loras=loras_in(beside),
        ip_adapter=(beside / IP_ADAPTER).is_dir(),
        size_mb=round(megabytes(lone.path) + others, 1),
        licence=licence_in(beside),
        native_size=native_size_beside(rest),
    )


def native_size_beside(rest: Rest) -> int:
    """Pixels a side that a denoiser in a file was made for; of a UNet those of the model that gives
    it the rest. Raises RequestError(MODEL_BROKEN)."""
    if rest.checkpoint is not None:
        return native_size_of(configs_of(rest.checkpoint))
    if rest.base is None or "unet" not in rest.index:
        return ABILITIES[rest.family].side
    return native_size_of(rest.base)


def native_size_of(folder: Path) -> int:
    """Pixels a side that a model in a folder was made for. Raises RequestError(MODEL_BROKEN)."""
    if not all((folder / part).is_dir() for part in ("unet", "vae")):
        return ABILITIES[family_of_index(folder, index_of(folder))].side
    return side_of(folder, "unet") or 512


def _check_part(folder: Path, part: str, index: dict[str, Any]) -> None:
    entry = index.get(part)
    if not isinstance(entry, list) or entry[0] not in ("diffusers", "transformers"):
        broken(folder / INDEX, f"has no {part} from diffusers or transformers: {entry!r}")
    if not (folder / part).is_dir():
        broken(folder / part, "is missing")
    if part == "scheduler":
        check_schedule(folder / part / "scheduler_config.json")
    elif part.startswith("tokenizer"):
        _check_tokenizer(folder / part)
    else:
        check_network(folder / part)
        if part == "vae":
            _check_vae(folder)


def _check_vae(folder: Path) -> None:
    """A VAE of another kind or family would end in the midst of painting."""
    vae, painted = (read_json(folder / part / "config.json") for part in ("vae", "unet"))
    kind = str(vae.get("_class_name", _VAE))
    if kind != _VAE:
        broken(folder / "vae", f"is an {kind}; this family's is an {_VAE}", _VAE_HINT)
    here, there = vae.get("latent_channels", 4), painted.get("out_channels", 4)
    if here != there:
        problem = f"is another family's: its latents have {here} channels, the model's {there}"
        broken(folder / "vae", problem, _VAE_HINT)


def _check_parts(folder: Path, index: dict[str, Any]) -> None:
    """The parts of a family of transformers, whatever they are."""
    for name in parts_of(folder, index):
        place = part_place(folder, index, name)
        if not place.is_dir():
            broken(place, "is missing")
        if is_network(place):
            check_network(place)
    schedule_of(folder, index)


def _check_tokenizer(folder: Path) -> None:
    if (folder / "tokenizer.json").is_file():
        read_json(folder / "tokenizer.json")
    elif not ((folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()):
        broken(folder, "has neither tokenizer.json nor vocab.json and merges.txt")
