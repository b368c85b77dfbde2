"""A file with a transformer or a UNet alone: recognised by its header."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, RequestError

from ..contents.headers import header
from ..contents.tensors import IS_UNET
from ..defaults.distilled import words_of
from ..model_files import broken
from ..single_files import OTHER_HINT, check_read, facts_of
from .makes import MAKES, Make, Shapes, bare
from .unet_makes import UNET, make_of_unet, refuse_unpaintable

_SHARD = re.compile(r".+-\d+-of-(\d+)")
_SHARD_HINT = (
    "Take it as one file, or the model's whole folder: the one that has model_index.json in it."
)


@dataclass(frozen=True, slots=True)
class Denoiser:
    """The file of a transformer or a UNet. `family`: as its shapes and its name tell. `config`: of
    diffusers' class, as far as shapes tell it. `names`: its tensors by their names without a
    prefix. `shapes`: by those names. `original`: in the maker's layout, not diffusers'."""

    path: Path
    make: Make
    family: str
    config: Mapping[str, Any]
    names: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    original: bool

    @property
    def words(self) -> frozenset[str]:
        """Of its name, in small letters."""
        return frozenset(words_of(self.path.stem))

    @property
    def is_unet(self) -> bool:
        """Whether it is one of Stable Diffusion's; else it is a transformer."""
        return self.make.network == UNET

    @property
    def part(self) -> str:
        """What an index calls it."""
        return "unet" if self.is_unet else "transformer"

    @property
    def prefix(self) -> str:
        """Of its tensors' names in the file."""
        name, true = next(iter(self.names.items()))
        return true.removesuffix(name)


def denoiser_in(file: Path) -> Denoiser | None:
    """The transformer or UNet that a file holds; None for a file that holds something else.

    Raises RequestError(MODEL_BROKEN) for a damaged file, for weights in a form that is not read,
    for a transformer that lacks layers, and for a UNet that no family here has.
    """
    shard = _SHARD.fullmatch(file.stem)
    if shard is not None and int(shard[1]) > 1:
        broken(file, f"is one of {int(shard[1])} shards of a model", _SHARD_HINT)
    told = facts_of(file).told
    if told is None or told.problem not in (*MAKES, IS_UNET):
        return None
    check_read(file)
    tensors = header(file)
    names = bare(tensors)
    shapes = {name: tuple(tensors[true]["shape"]) for name, true in names.items()}
    make, config = _told_by(file, told.problem, shapes)
    family = make.family(config, frozenset(words_of(file.stem)))
    if not family:
        refuse_unpaintable(file, config)
    return Denoiser(
        path=file,
        make=make,
        family=family,
        config=config,
        names=names,
        shapes=shapes,
        original=bool(make.original) and any(make.original in name for name in names),
    )


def _told_by(file: Path, problem: str, shapes: Shapes) -> tuple[Make, dict[str, Any]]:
    """Its make, and its config as far as shapes tell it."""
    if problem == IS_UNET:
        try:
            make = make_of_unet(shapes)
            return make, make.config(shapes)
        except LookupError as error:
            broken(file, f"is a UNet of a make that is not known here: {error.args[0]}", OTHER_HINT)
    make = MAKES[problem]
    try:
        return make, make.config(shapes)
    except (LookupError, ValueError, ZeroDivisionError) as error:
        told = f"{file} is a transformer of {make.name} that is not whole: {error.args[0]}"
        raise RequestError(ErrorCode.MODEL_BROKEN, told, hint="Fetch it again.") from error
