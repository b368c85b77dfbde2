"""Where the rest of a model comes from, of which a file holds a UNet alone: another model of the
same make, a folder in diffusers' format or a whole checkpoint; the one that the user named, else
the likest that is known here, else the single files that ComfyUI keeps (see `loose`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths

from ..abilities import ABILITIES
from ..contents.checkpoints import configs_of, schedule_of_checkpoint, with_prediction
from ..contents.folders import index_of
from ..defaults.distilled import distillation_of, words_of
from ..defaults.own_file import own_wants
from ..model_files import INDEX, broken, check_schedule, read_json, weight_files
from ..places import extra_folders, extra_models, followed, models_in, name_of
from ..recognition import family_of_index
from ..single_files import (
    EPSILON,
    SUFFIX,
    Checkpoint,
    config_folder,
    facts_of,
    prediction_of,
    recognise,
    vae_beside,
)
from .files import Denoiser
from .kinds import is_in_files
from .loose import loose_parts
from .unet_makes import UNET, configs_for, predicts_one_thing
from .whole import Rest, named_places

_ENCODERS, _TOKENIZERS = ("text_encoder", "text_encoder_2"), ("tokenizer", "tokenizer_2")
_PARTS = ("vae", *_ENCODERS, *_TOKENIZERS)
_HOMES = ("diffusion_models", "unet", "checkpoints", "stable-diffusion")
_SECOND = ("sdxl", "sdxl_refiner")  # families whose text encoder of OpenCLIP's is a second one
# Words that many names have, whatever the model is.
_COMMON = frozenset({
    "sd", "sdxl", "xl", "unet", "fp", "bf", "v", "step", "steps", "model", "pruned", "emaonly", "q",
    "k", "s", "m", "lightning", "hyper", "lcm", "dmd", "turbo", "tcd", "distilled", "diffusion",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Base:
    """A whole model. `place`: its folder or file. `configs`: the folder of its configurations."""

    place: Path
    family: str
    configs: Path
    checkpoint: Checkpoint | None = None

    @property
    def schedule(self) -> dict[str, Any]:
        """Of its noise."""
        if self.checkpoint is not None:
            return schedule_of_checkpoint(self.checkpoint)
        return read_json(self.place / "scheduler" / "scheduler_config.json")

    @property
    def unet(self) -> dict[str, Any]:
        """The config of its own UNet, which may have been left out."""
        file = self.configs / "unet" / "config.json"
        return read_json(file) if file.is_file() else {}


def rest_of_unet(paths: Paths, found: Denoiser) -> Rest:
    """The other parts of the model whose UNet was found.

    Raises RequestError(MODEL_BROKEN) that says what is missing, and how to give it.
    """
    said = prediction_of(found.path, configs_for(found.make), found.config["in_channels"])
    told = own_wants(found.path).base
    base = _likest(paths, found, said[0]) if told is None else _named(paths, found, told)
    if base is None and (rest := _from_files(paths, found, said)) is not None:
        return rest
    if base is None:
        raise RequestError(
            ErrorCode.MODEL_BROKEN,
            f"{found.path} is the UNet of {found.make.name} alone; no other model of it is known "
            "here, whose text encoders and VAE it could have",
            hint=_hint(found),
        )
    shipped = config_folder(configs_for(found.make)) / "unet" / "config.json"
    config = base.unet or read_json(shipped)
    plain = {key: value for key, value in config.items() if key != "quantization_config"}
    return Rest(
        family=found.family,
        config={**plain, **found.config},
        index={**read_json(base.configs / INDEX), "unet": ["diffusers", UNET]},
        scheduler=_schedule(found, base, said, named=told is not None),
        places={name: _place(base, name) for name in _parts(found)},
        base=base.place,
        checkpoint=base.checkpoint,
    )


def _from_files(paths: Paths, found: Denoiser, said: tuple[str | None, bool | None]) -> Rest | None:
    """From the files that ComfyUI keeps; None where one is missing. What they do not tell is as the
    make was released."""
    if not is_in_files(found):
        return None
    loose, tokenizers, missing = loose_parts(found, [paths.models, *extra_folders(paths)], ())
    if missing:
        return None
    configs = config_folder(configs_for(found.make))
    return Rest(
        family=found.family,
        config={**read_json(configs / "unet" / "config.json"), **found.config},
        index=read_json(configs / INDEX),
        scheduler=with_prediction(_usual_schedule(found), said[0], zero_snr=said[1]),
        places={**{name: part.path for name, part in loose.items()}, **tokenizers},
        loose=loose,
    )


def _schedule(
    found: Denoiser, base: _Base, said: tuple[str | None, bool | None], *, named: bool
) -> dict[str, Any]:
    """That of the base, where the user named it: whoever does so knows what goes together. One that
    was only found tells nothing of what this UNet learnt to predict: where neither the file nor
    the user says it, that is what its make predicts, if that is one thing."""
    schedule, usual = base.schedule, _usual_schedule(found)
    if not named and predicts_one_thing(found.make):
        wanted = (said[0] or usual["prediction_type"], bool(said[1]))
        schedule = schedule if _predicts(schedule) == wanted else usual
    return with_prediction(schedule, said[0], zero_snr=said[1])


def _predicts(schedule: Mapping[str, Any]) -> tuple[str, bool]:
    """What, and whether to the end of pure noise."""
    zero_snr = bool(schedule.get("rescale_betas_zero_snr", False))
    return str(schedule.get("prediction_type", EPSILON)), zero_snr


def _usual_schedule(found: Denoiser) -> dict[str, Any]:
    """Of its make."""
    return read_json(config_folder(configs_for(found.make)) / "scheduler/scheduler_config.json")


def base_of_unet(paths: Paths, found: Denoiser, told: str) -> Path:
    """The model that the user named, which gives a UNet its other parts: by its path, by one beside
    the file, or by its name. Raises RequestError(MODEL_BROKEN) unless it has what is needed."""
    return followed(_named(paths, found, told).place)


def _named(paths: Paths, found: Denoiser, told: str) -> _Base:
    places = (place for place in named_places(paths, found.path, told) if _may_be(place, found))
    place = next(places, None)
    if place is None:
        problem = f"names the base {told!r}, which is neither a model's folder nor a checkpoint"
        broken(found.path, problem, _hint(found))
    base = _base(place)
    _check(found, base)
    return base


def _may_be(place: Path, found: Denoiser) -> bool:
    if place.is_dir():
        return (place / INDEX).is_file()
    return place.suffix == SUFFIX and place.is_file() and place != found.path


def _base(place: Path) -> _Base:
    """Raises RequestError(MODEL_BROKEN) for what is no whole model."""
    if place.is_dir():
        check_schedule(place / "scheduler" / "scheduler_config.json")
        return _Base(place, family_of_index(place, index_of(place)), place)
    checkpoint = recognise(place)
    return _Base(place, checkpoint.family, configs_of(checkpoint), checkpoint)


def _check(found: Denoiser, base: _Base) -> None:
    """Raise RequestError(MODEL_BROKEN) where a base has other parts than the UNet needs."""
    name = found.path.name
    if base.family not in found.make.families:
        title = ABILITIES[base.family].title
        _unfit(found, base, f"is of {title}; the UNet in {name} is of {found.make.name}")
    missing = [part for part in _parts(found) if not _there(base, part)]
    if missing:
        broken(base.place / missing[0], "is missing", _hint(found))
    wide, reads = _text_width(base), found.config["cross_attention_dim"]
    if wide != reads:
        told = f"has text encoders of another width ({wide}, not {reads}) than {name} reads"
        _unfit(found, base, told)
    beside = "projection_class_embeddings_input_dim"
    if base.unet.get(beside, found.config[beside]) != found.config[beside]:
        _unfit(found, base, f"is of another make than the UNet in {name}")
    cells = read_json(base.configs / "vae" / "config.json").get("latent_channels", 4)
    if cells != found.config["out_channels"]:
        _unfit(found, base, f"has a VAE of other latents than {name} paints")


def _unfit(found: Denoiser, base: _Base, problem: str) -> NoReturn:
    broken(base.place, problem, _hint(found))


def _parts(found: Denoiser) -> list[str]:
    """What a make has beside its UNet and scheduler."""
    first, second = found.make.families[0] != "sdxl_refiner", found.make.families[0] in _SECOND
    return [name for name in _PARTS if name == "vae" or (second if name.endswith("_2") else first)]


def _there(base: _Base, part: str) -> bool:
    if base.checkpoint is not None:
        return True
    return (base.place / part).is_dir() and (
        part in _TOKENIZERS or bool(weight_files(base.place / part))
    )


def _place(base: _Base, part: str) -> Path:
    if base.checkpoint is None or part in _TOKENIZERS:
        return base.configs / part
    file = base.checkpoint.path
    return file if part != "vae" or base.checkpoint.vae else vae_beside(file)


def _text_width(base: _Base) -> int:
    """Of what its text encoders give, side by side."""
    files = (base.configs / part / "config.json" for part in _ENCODERS)
    return sum(int(read_json(file).get("hidden_size", 0)) for file in files if file.is_file())


def _likest(paths: Paths, found: Denoiser, prediction: str | None) -> _Base | None:
    """Of the models that are known here and have what the UNet needs. `prediction`: what its file
    says of it."""
    fits = list[tuple[tuple[bool | int, ...], _Base]]()
    for place in _known(paths, found.path):
        try:
            if not _may_be(place, found) or (place.is_file() and facts_of(place).kind is None):
                continue
            base = _base(place)
            _check(found, base)
            fits.append((_distance(found, base, prediction), base))
        except (RequestError, OSError):  # broken, or of another make
            continue
    return min(fits, key=lambda fit: fit[0])[1] if fits else None


def _known(paths: Paths, file: Path) -> Iterator[Path]:
    """Every model that is known here, and the checkpoints in the home of models that the file lies
    in."""
    if paths.models.is_dir():
        yield from sorted(paths.models.iterdir())
    yield from (path for _, path in extra_models(paths))
    home = next((above.parent for above in file.parents if above.name.lower() in _HOMES), None)
    for name in ("checkpoints", "Stable-diffusion"):
        yield from (path for _, path in models_in(home / name)) if home is not None else ()


def _distance(found: Denoiser, base: _Base, prediction: str | None) -> tuple[bool | int, ...]:
    """How unlike: what was trained to predict the same, for the same task, under a like name; not
    distilled; the base model itself."""
    schedule, name = base.schedule, name_of(base.place)
    wanted = prediction or _usual_schedule(found)["prediction_type"]
    kind, _ = distillation_of((name,), base.family, str(schedule.get("_class_name")))
    words = {word for word in words_of(name) if not word.isdigit()}
    return (
        _predicts(schedule)[0] != wanted,
        base.family != found.family,
        -len((words & found.words) - _COMMON),
        kind != "",
        "base" not in words,
    )


def _hint(found: Denoiser) -> str:
    return (
        f"Name a checkpoint of {found.make.name}, or a folder in the diffusers format, that has "
        f"its other parts (underpaint models add {found.path.name} --base FILE)."
    )
