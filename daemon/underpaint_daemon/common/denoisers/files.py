"""A file with a transformer alone: recognised by its header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, RequestError

from ..contents.headers import header
from ..defaults.distilled import words_of
from ..single_files import facts_of
from .makes import MAKES, Make, bare


@dataclass(frozen=True, slots=True)
class Denoiser:
    """A transformer's file. `family`: as its shapes and its name tell. `config`: of diffusers'
    class, as far as shapes tell it. `names`: its tensors by their names without a prefix.
    `shapes`: by those names. `original`: in the maker's layout, not diffusers'."""

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


def denoiser_in(file: Path) -> Denoiser | None:
    """The transformer that a file holds; None for a file that holds something else.

    Raises RequestError(MODEL_BROKEN) for a damaged file, and for a transformer that lacks layers.
    """
    told = facts_of(file).told
    make = None if told is None else MAKES.get(told.problem)
    if make is None:
        return None
    tensors = header(file)
    names = bare(tensors)
    shapes = {name: tuple(tensors[true]["shape"]) for name, true in names.items()}
    try:
        config = make.config(shapes)
    except (LookupError, ValueError, ZeroDivisionError) as error:
        problem = f"{file} is a transformer of {make.name} that is not whole: {error.args[0]}"
        raise RequestError(ErrorCode.MODEL_BROKEN, problem, hint="Fetch it again.") from error
    return Denoiser(
        path=file,
        make=make,
        family=make.family(config, frozenset(words_of(file.stem))),
        config=config,
        names=names,
        shapes=shapes,
        original=bool(make.original) and any(make.original in name for name in names),
    )
