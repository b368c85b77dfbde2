"""Models on disk: where they are, what they can do, and whether their files are whole.

No torch: the server lists models with this. A model is a diffusers-format folder; beside the
standard parts it may hold `controlnet_<kind>/`, `loras/*.safetensors` and `ip_adapter/`. A single
safetensors file can be one, too (see `checkpoints`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import STARTER_MODEL, ControlKind, Sampler

from . import single_files
from .abilities import ABILITIES
from .places import extra_models
from .recognition import family_of_pipeline, is_network, parts_of
from .single_files import Checkpoint

INDEX = "model_index.json"
IP_ADAPTER = "ip_adapter"
_CONTROL_PREFIX = "controlnet_"
_SHARED_PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
PARTS_OF_FAMILY = {
    "sd15": _SHARED_PARTS,
    "sdxl": (*_SHARED_PARTS, "text_encoder_2", "tokenizer_2"),
}
_FAMILY_OF_PREFIX = {"StableDiffusionXL": "sdxl", "StableDiffusion": "sd15"}
_OTHER_PIPELINES = (
    ("InstructPix2Pix", "is an InstructPix2Pix model: it edits pictures by instruction"),
    ("Depth2Img", "is a depth2img model: it takes depth as a channel"),
    ("ImageVariation", "is an image variation model: it takes a picture in place of words"),
    ("UnCLIP", "is an unCLIP model: it takes a picture in place of words"),
    ("Upscale", "is an upscaling model"),
)
_UNLIKE_PREFIXES = ("StableDiffusion3", "StableDiffusionUpscale", "StableDiffusionLatentUpscale")


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
    return [asdict(describe(name, folder)) for name, folder in _candidates(paths)]


def model_folder(paths: Paths, name: str) -> Path:
    """The folder of a model, or its single file: "starter", a name in `Paths.models`, or an
    absolute path. Raises RequestError: MODEL_MISSING, MODEL_BROKEN for a file that is no model."""
    folder = _locate(paths, name)
    if folder is not None and folder.is_file():
        single_files.family_of(folder)
    elif folder is None or not folder.is_dir():
        known = ", ".join(known_name for known_name, _ in _candidates(paths)) or "none yet"
        raise RequestError(ErrorCode.MODEL_MISSING, f"There is no model {name!r}; known: {known}")
    return folder


def family_of(paths: Paths, name: str) -> str:
    """The family of a model by its name or path, from its index or its file's header.

    Raises RequestError: MODEL_MISSING or MODEL_BROKEN.
    """
    place = model_folder(paths, name)
    if place.is_file():
        return single_files.family_of(place)
    return _family(place, read_json(place / INDEX))


def inspect(name: str, folder: Path) -> ModelInfo:
    """Check a model folder without loading it.

    Raises RequestError(MODEL_BROKEN) that names the file: no index, an unknown family, parts
    missing, pickled weights only, or safetensors files that are cut short.
    """
    index = read_json(folder / INDEX)
    family = _family(folder, index)
    if family in PARTS_OF_FAMILY:
        for part in PARTS_OF_FAMILY[family]:
            _check_part(folder, part, index)
    else:
        _check_parts(folder, index)
    for control in _controls(folder):
        check_network(folder / f"{_CONTROL_PREFIX}{control}")
    return _info(name, folder, family, folder)


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


def glance(place: Path) -> Glance:
    """Look at a model's folder or single file. Raises RequestError(MODEL_BROKEN)."""
    if place.is_file():
        found = single_files.recognise(place)
        family, controls, scheduler = found.family, _controls(place.with_suffix("")), ""
        configs = configs_of(found)
        index: Mapping[str, Any] = {}
    else:
        index = read_json(place / INDEX)
        family, configs = _family(place, index), place
        controls = _controls(place)
        scheduler = str(read_json(place / "scheduler" / "scheduler_config.json").get("_class_name"))
    part = "unet" if (configs / "unet").is_dir() else "transformer"
    denoiser = read_json(configs / part / "config.json")
    return Glance(family, _native_size(configs), tuple(controls), denoiser, scheduler, index)


def check_network(folder: Path) -> None:
    """Raise RequestError(MODEL_BROKEN) unless a network's folder has a config and whole weights."""
    read_json(folder / "config.json")
    weights = weight_files(folder)
    if not weights:
        pickled = sorted(path.name for path in folder.glob("*.bin"))
        found = f"only pickled weights ({pickled[0]})" if pickled else "no weights"
        broken(folder, f"has {found}; safetensors weights are needed")
    for file in weights:
        single_files.header(file)


def weight_files(folder: Path) -> list[Path]:
    """A network's safetensors files, sorted; full-precision files before `.fp16.` variants."""
    found = sorted(folder.glob("*.safetensors"))
    return [path for path in found if ".fp16" not in path.name] or found


def control_folder(folder: Path, kind: ControlKind) -> Path:
    """Where a model keeps its own ControlNet of a kind."""
    return folder / f"{_CONTROL_PREFIX}{kind.value}"


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object from a model's file. Raises RequestError(MODEL_BROKEN)."""
    try:
        data = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        broken(file, f"cannot be read: {error}")
    if not isinstance(data, dict):
        broken(file, "is not a JSON object")
    return data


def broken(file: Path, problem: str) -> NoReturn:
    """Raise RequestError(MODEL_BROKEN) that names the file."""
    raise RequestError(ErrorCode.MODEL_BROKEN, f"{file} {problem}")


def describe_samplers() -> list[dict[str, str]]:
    """Every sampler's name and what it is good for."""
    return [{"name": sampler.value, "about": _SAMPLERS[sampler]} for sampler in Sampler]


_SAMPLERS = {
    Sampler.DDPM: "The original ancestral sampler; needs many steps (50 and up).",
    Sampler.DDIM: "Deterministic and plain; 20–50 steps.",
    Sampler.EULER: "Deterministic and fast; 15–30 steps.",
    Sampler.EULER_A: "Ancestral Euler: adds noise each step, varied results; 20–40 steps.",
    Sampler.DPMPP_2M: "DPM-Solver++ 2M: good in few steps (6–25).",
    Sampler.DPMPP_2M_KARRAS: "DPM-Solver++ 2M on Karras noise levels: crisp detail; 15–30 steps.",
    Sampler.DPMPP_2M_SDE: "Stochastic DPM-Solver++ 2M: richer texture; 20–40 steps.",
    Sampler.DPMPP_2M_SDE_KARRAS: "Stochastic DPM-Solver++ 2M on Karras noise levels; 20–40 steps.",
    Sampler.UNIPC: "UniPC: a corrector for few steps (6–15).",
    Sampler.LCM: "Few steps (2–8), guidance 1–3: distilled models and LoRAs.",
}


def _candidates(paths: Paths) -> Iterator[tuple[str, Path]]:
    if starter_folder().is_dir():
        yield STARTER_MODEL, starter_folder()
    if paths.models.is_dir():
        for folder in sorted(paths.models.iterdir()):
            single = folder.suffix == single_files.SUFFIX and folder.is_file()
            if (single or (folder / INDEX).is_file()) and folder.name != STARTER_MODEL:
                yield folder.name, folder
    for name, folder in extra_models(paths):
        if name != STARTER_MODEL and not (paths.models / name).exists():
            yield name, folder


def _locate(paths: Paths, name: str) -> Path | None:
    if name == STARTER_MODEL:
        return starter_folder()
    if Path(name).is_absolute():
        return Path(name)
    if Path(name).name != name or name in ("", ".", ".."):
        return None
    own = paths.models / name
    return own if own.exists() else dict(extra_models(paths)).get(name, own)


def describe(name: str, folder: Path) -> ModelInfo:
    """What a model's folder or file holds, or why it cannot be used; raises nothing."""
    try:
        return inspect(name, folder) if folder.is_dir() else inspect_file(name, folder)
    except RequestError as error:
        return ModelInfo(name, str(folder), "", (), (), False, 0.0, "", problem=error.message)


def _info(name: str, folder: Path, family: str, configs: Path) -> ModelInfo:
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return ModelInfo(
        name=name,
        path=str(folder),
        family=family,
        controls=tuple(_controls(folder)),
        loras=tuple(sorted(file.stem for file in (folder / "loras").glob("*.safetensors"))),
        ip_adapter=(folder / IP_ADAPTER).is_dir(),
        size_mb=round(size / 1e6, 1),
        licence=_licence(folder),
        native_size=_native_size(configs),
    )


def inspect_file(name: str, file: Path) -> ModelInfo:
    """What a single file holds, and the folder beside it that is named like it: ControlNets, LoRAs
    and an IP-Adapter may lie there. Raises RequestError(MODEL_BROKEN)."""
    found = single_files.recognise(file)
    info = _info(name, file.with_suffix(""), found.family, configs_of(found))
    return replace(info, path=str(file), size_mb=round(file.stat().st_size / 1e6, 1))


def configs_of(found: Checkpoint) -> Path:
    """The folder of a checkpoint's configurations: beside it and named like it, where there is
    one, else what ships with the daemon."""
    beside = found.path.with_suffix("")
    return beside if (beside / INDEX).is_file() else single_files.config_folder(found.configs)


def _native_size(folder: Path) -> int:
    """The UNet's latent side times the VAE's factor: each level but the first halves the side."""
    if not (folder / "unet").is_dir():
        return ABILITIES[_family(folder, read_json(folder / INDEX))].side
    latent = read_json(folder / "unet" / "config.json").get("sample_size")
    levels = read_json(folder / "vae" / "config.json").get("block_out_channels", (0,) * 4)
    return latent * 2 ** (len(levels) - 1) if isinstance(latent, int) else 512


def _family(folder: Path, index: dict[str, Any]) -> str:
    name = str(index.get("_class_name", ""))
    _refuse_others(folder, name, index)
    if not name.startswith(_UNLIKE_PREFIXES):
        for prefix, family in _FAMILY_OF_PREFIX.items():
            if name.startswith(prefix):
                return family
    found = family_of_pipeline(name)
    if found is not None:
        return found
    families = ", ".join(ABILITIES)
    broken(folder / INDEX, f"names the pipeline {name!r}; families known here: {families}")


def _refuse_others(folder: Path, pipeline: str, index: dict[str, Any]) -> None:
    """Name what is of the same make as a text-to-image model, and is none."""
    for piece, problem in _OTHER_PIPELINES:
        if piece in pipeline:
            _unfit(folder, problem)
    if "XL" in pipeline and "text_encoder" in index and not any(index["text_encoder"] or ()):
        _unfit(folder, "is SDXL's refiner, which only finishes pictures")
    config = folder / "unet" / "config.json"
    channels = read_json(config).get("in_channels") if config.is_file() else None
    if channels in single_files.CHANNELS_OF_OTHERS:
        _unfit(folder, single_files.CHANNELS_OF_OTHERS[channels])


def _unfit(folder: Path, problem: str) -> NoReturn:
    raise RequestError(ErrorCode.MODEL_BROKEN, f"{folder} {problem}", hint=single_files.OTHER_HINT)


def _check_part(folder: Path, part: str, index: dict[str, Any]) -> None:
    entry = index.get(part)
    if not isinstance(entry, list) or entry[0] not in ("diffusers", "transformers"):
        broken(folder / INDEX, f"has no {part} from diffusers or transformers: {entry!r}")
    if not (folder / part).is_dir():
        broken(folder / part, "is missing")
    if part == "scheduler":
        read_json(folder / part / "scheduler_config.json")
    elif part.startswith("tokenizer"):
        _check_tokenizer(folder / part)
    else:
        check_network(folder / part)


def _check_parts(folder: Path, index: dict[str, Any]) -> None:
    """The parts of a family of transformers, whatever they are."""
    for name in parts_of(folder, index):
        if not (folder / name).is_dir():
            broken(folder / name, "is missing")
        if is_network(folder / name):
            check_network(folder / name)
    read_json(folder / "scheduler" / "scheduler_config.json")


def _check_tokenizer(folder: Path) -> None:
    if (folder / "tokenizer.json").is_file():
        read_json(folder / "tokenizer.json")
    elif not ((folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()):
        broken(folder, "has neither tokenizer.json nor vocab.json and merges.txt")


def _controls(folder: Path) -> list[str]:
    kinds = [kind.value for kind in ControlKind]
    return [kind for kind in kinds if (folder / f"{_CONTROL_PREFIX}{kind}").is_dir()]


def _licence(folder: Path) -> str:
    """From the model card's front matter, else the first line of a licence file."""
    card = folder / "README.md"
    if card.is_file():
        for line in card.read_text("utf-8", errors="replace").splitlines()[:50]:
            if line.startswith(("license:", "licence:")):
                return line.partition(":")[2].strip()
    for file in sorted(folder.glob("LICEN[SC]E*")):
        text = file.read_text("utf-8", errors="replace").strip()
        return text.splitlines()[0].strip() if text else ""
    return ""


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of a folder's files, or of one file: changes when the model is
    changed on disk."""
    rows = []
    if folder.is_file():
        stat = folder.stat()
        rows.append((folder.name, stat.st_size, stat.st_mtime_ns))
    for root, _, files in os.walk(folder):
        for name in files:
            stat = (Path(root) / name).stat()
            file = (Path(root) / name).relative_to(folder).as_posix()
            rows.append((file, stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(rows))
