"""Where the rest of a model comes from, of which a file holds the transformer alone: its VAE, text
encoders, tokenizers, scheduler.

First the folder that the user named (`base` in `NAME.underpaint.json`, or `underpaint models add
FILE --base FOLDER`); else a model of the same make among those that are known here; else the
single files that ComfyUI keeps (see `loose`). Of UNets see `unet_rest`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths

from ..abilities import ABILITIES
from ..contents.folders import index_of
from ..defaults.own_file import own_wants
from ..model_files import INDEX, broken, read_json
from ..places import extra_folders, extra_models
from ..recognition import family_of_index, parts_of
from .files import Denoiser
from .loose import Loose, holds_parts, index_of_parts, loose_parts
from .unet_rest import base_of_unet, rest_of_unet
from .whole import Rest, named_places

_TRANSFORMER, _SCHEDULER = "transformer", "scheduler"
_CONFIGS = Path(__file__).parents[2] / "model_configs"
# What a transformer's other parts must agree with, by the configs' names.
_WIDTHS = ("joint_attention_dim", "pooled_projection_dim", "cap_feat_dim")
PIPELINES: Mapping[str, str] = {
    "flux1": "FluxPipeline",
    "flux1_kontext": "FluxKontextPipeline",
    "flux1_fill": "FluxFillPipeline",
    "flux1_control": "FluxControlPipeline",
    "flux2": "Flux2Pipeline",
    "flux2_klein": "Flux2KleinPipeline",
    "qwen_image": "QwenImagePipeline",
    "qwen_edit": "QwenImageEditPipeline",
    "qwen_edit_plus": "QwenImageEditPlusPipeline",
    "z_image": "ZImagePipeline",
    "chroma": "ChromaPipeline",
    "sd35": "StableDiffusion3Pipeline",
}


def rest_of(paths: Paths, found: Denoiser) -> Rest:
    """The other parts of the model whose transformer or UNet was found.

    Raises RequestError(MODEL_BROKEN) that says what is missing, and how to give it.
    """
    if found.is_unet:
        return rest_of_unet(paths, found)
    told = own_wants(found.path).base
    if told is not None:
        return _from_base(found, base_folder(paths, found, told))
    folders = list(_folders(paths))
    if not holds_parts(found):
        base = _nearest(found, folders)
        if base is not None:
            return _from_base(found, base, family=found.family)
    loose, tokenizers, missing = loose_parts(found, [paths.models, *extra_folders(paths)], folders)
    if not missing:
        return _from_files(found, loose, tokenizers)
    base = _nearest(found, folders)
    if base is not None:
        return _from_base(found, base, family=found.family)
    _refuse(found, missing)


def _nearest(found: Denoiser, folders: Sequence[Path]) -> Path | None:
    """The likest model that fits."""
    fits = [folder for folder in folders if _fits(found, folder)]
    return min(fits, key=lambda folder: _distance(found, folder), default=None)


def _from_files(
    found: Denoiser, loose: Mapping[str, Loose], tokenizers: Mapping[str, Path]
) -> Rest:
    places = {name: part.path for name, part in loose.items()}
    rest = Rest(
        family=found.family,
        config=found.config,
        index=_index(found, found.family, index_of_parts(found)),
        scheduler=released_schedule(found, found.family),
        places={**places, **tokenizers},
        loose=loose,
    )
    return _with_processor(rest)


def _distance(found: Denoiser, folder: Path) -> tuple[bool, int]:
    """How unlike a folder's model is to the file's: another family, another config."""
    theirs = _theirs(folder)
    unlike = sum(theirs.get(key) != value for key, value in found.config.items())
    return _family(folder) != found.family, unlike


def base_folder(paths: Paths, found: Denoiser, told: str) -> Path:
    """The folder that the user named: by its path, by one beside the file, or by a model's name;
    for a UNet a checkpoint, too.

    Raises RequestError(MODEL_BROKEN) unless it has the parts that the denoiser needs.
    """
    if found.is_unet:
        return base_of_unet(paths, found, told)
    tried = named_places(paths, found.path, told)
    folder = next((path for path in tried if (path / INDEX).is_file()), None)
    if folder is None:
        broken(found.path, f"names the base {told!r}, which is no model's folder", _hint(found))
    _check_base(found, folder)
    return folder.resolve()


def _check_base(found: Denoiser, folder: Path) -> None:
    family = family_of_index(folder, index_of(folder))
    if family not in found.make.families:
        title = ABILITIES[family].title
        problem = f"is of {title}; the transformer in {found.path.name} is of {found.make.name}"
        broken(folder, problem, _hint(found))
    other = _unlike(found, folder)
    if other:
        problem = f"has text encoders of another width ({other}) than {found.path.name} reads"
        broken(folder, problem, _hint(found))


def _folders(paths: Paths) -> Iterator[Path]:
    """Every model's folder that is known here."""
    own = sorted(paths.models.iterdir()) if paths.models.is_dir() else []
    yield from (path for path in own if (path / INDEX).is_file())
    yield from (path for _, path in extra_models(paths) if path.is_dir())


def _family(folder: Path) -> str | None:
    try:
        return family_of_index(folder, index_of(folder))
    except RequestError:
        return None


def _fits(found: Denoiser, folder: Path) -> bool:
    if _family(folder) not in found.make.families:
        return False
    try:
        return not _unlike(found, folder) and not _missing(folder)
    except RequestError:
        return False


def _unlike(found: Denoiser, folder: Path) -> str:
    """The widths of what a folder's own transformer reads, where they are not the file's."""
    config = _theirs(folder)
    both = [
        (name, config.get(name), found.config[name]) for name in _WIDTHS if name in found.config
    ]
    return ", ".join(f"{there}, not {here}" for _, there, here in both if there not in (None, here))


def _missing(folder: Path) -> list[str]:
    parts = parts_of(folder, read_json(folder / INDEX))
    return [name for name in parts if name != _TRANSFORMER and not (folder / name).is_dir()]


def _from_base(found: Denoiser, folder: Path, family: str | None = None) -> Rest:
    """`family`: None takes the folder's, which the user named."""
    index = read_json(folder / INDEX)
    missing = _missing(folder)
    if missing:
        broken(folder / missing[0], "is missing", _hint(found))
    theirs = family_of_index(folder, index)
    family = family or theirs
    rest = Rest(
        family=family,
        config=_config(found, folder),
        index=_index(found, family, index),
        scheduler=_schedule(found, family, folder, alike=family == theirs),
        places={
            name: folder / name
            for name in parts_of(folder, index)
            if name not in (_TRANSFORMER, _SCHEDULER)
        },
        base=folder,
    )
    return _with_processor(rest)


def _config(found: Denoiser, folder: Path) -> dict[str, Any]:
    """What the shapes say, before what the folder's own transformer of the same class says."""
    config = _theirs(folder)
    theirs = config if config.get("_class_name") == found.make.network else {}
    plain = {key: value for key, value in theirs.items() if key != "quantization_config"}
    return {**plain, **found.config}


def _theirs(folder: Path) -> dict[str, Any]:
    """The config of a folder's own transformer, which may have been left out."""
    file = folder / _TRANSFORMER / "config.json"
    return read_json(file) if file.is_file() else {}


def _index(found: Denoiser, family: str, index: Mapping[str, Any]) -> dict[str, Any]:
    made = {**index, "_class_name": PIPELINES[family]}
    made[_TRANSFORMER] = ["diffusers", found.make.network]
    if family == "flux2_klein":
        made["is_distilled"] = "base" not in found.words
    return made


def _schedule(found: Denoiser, family: str, folder: Path, *, alike: bool) -> dict[str, Any]:
    """The folder's, where its transformer is of the same kind; else that of the release."""
    theirs = _theirs(folder).get("guidance_embeds")
    if alike and theirs in (None, found.config.get("guidance_embeds", theirs)):
        return read_json(folder / _SCHEDULER / "scheduler_config.json")
    return released_schedule(found, family)


def released_schedule(found: Denoiser, family: str) -> dict[str, Any]:
    """The noise schedule that a family was released with."""
    schedules = read_json(_CONFIGS / "flow_schedules.json")
    name = "flux1_schnell" if family == "flux1" and not found.config["guidance_embeds"] else family
    if family == "z_image" and "turbo" in found.words:
        name = "z_image_turbo"
    schedule: dict[str, Any] = schedules[name]
    return schedule


def _with_processor(rest: Rest) -> Rest:
    """Qwen's editors read pictures by a processor that Qwen-Image does not have, and that is its
    tokenizer and numbers that are always the same."""
    if "edit" not in rest.family or "processor" in rest.places:
        return rest
    index = {**rest.index, "processor": ["transformers", "Qwen2VLProcessor"]}
    return replace(rest, index=index, places={**rest.places, "processor": rest.places["tokenizer"]})


def _hint(found: Denoiser) -> str:
    return (
        f"Name a folder of {found.make.name} in the diffusers format that has its other parts "
        f"(underpaint models add {found.path.name} --base FOLDER)."
    )


def _refuse(found: Denoiser, missing: Sequence[str]) -> NoReturn:
    """Say what is missing."""
    raise RequestError(
        ErrorCode.MODEL_BROKEN,
        f"{found.path} is the transformer of {found.make.name} alone; not found: "
        + ", ".join(missing),
        hint=f"Name a folder of {found.make.name} in the diffusers format that has its other parts "
        f"(underpaint models add {found.path.name} --base FOLDER), or put what is missing into "
        "ComfyUI's folders text_encoders and vae.",
    )
