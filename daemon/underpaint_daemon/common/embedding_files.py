"""Textual inversions: where their files lie, and where a prompt names one. No torch.

`embedding:NAME` and `<NAME>` always mean the file of that name; the bare NAME does where there is
one that fits the model, as the web UI that most were made for reads it. Case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths

from .places import extra_folders

FOLDER = "embeddings"
SUFFIXES = (".safetensors", ".pt", ".bin")
_LEARNED = "learned_embeds"  # diffusers' own name for the file in a folder
_SAID = re.compile(r"embedding:[\w.\-]+", re.IGNORECASE)
_NAMED = re.compile(r"embedding:([\w.\-]+)|<([\w.\-]+)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a text names an embedding. `named`: as `embedding:NAME`, which can mean nothing else;
    `<NAME>` and a bare word may be words."""

    start: int
    end: int
    name: str
    named: bool


def embedding_files(paths: Paths, model: Path) -> dict[str, Path]:
    """Every embedding by its name in small letters: in the folder `embeddings` of the model, of
    the models, and of the folders that the user added or beside them."""
    found: dict[str, Path] = {}
    for folder in _folders(paths, model):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            file = _file(path)
            if file is not None:
                found.setdefault(path.stem.lower() if path.is_file() else path.name.lower(), file)
    return found


def mentions(text: str, known: Collection[str]) -> list[Mention]:
    """Where a text names embeddings, of which `known` (in small letters) are there.

    Raises RequestError(BAD_REQUEST) for an `embedding:NAME` that is not.
    """
    found = list[Mention]()
    for match in _pattern(known).finditer(text):
        name = (match[1] or match[2] or match[0]).lower()
        said = match[1] is not None
        if said and name not in known and name.rstrip(".") in known:
            name = name.rstrip(".")  # the end of a sentence
        if name in known:
            found.append(Mention(match.start(), match.end(), name, said))
        elif said:
            there = ", ".join(sorted(known)) or "none"
            raise RequestError(
                ErrorCode.BAD_REQUEST,
                f"There is no embedding {match[1]!r}; there are: {there}",
                hint=f"Put its file into the folder {FOLDER!r} of the models folder.",
            )
    return found


def mentions_none(texts: Collection[str], model: str) -> None:
    """Raise RequestError(BAD_REQUEST) when a text names an `embedding:NAME`: this model reads
    none."""
    for text in texts:
        if found := _SAID.search(text):
            raise RequestError(
                ErrorCode.BAD_REQUEST,
                f"{model} reads no textual inversions, and the prompt names {found[0]!r}",
                hint="They are for Stable Diffusion 1.5, 2 and XL; leave it out.",
            )


def _pattern(known: Collection[str]) -> re.Pattern[str]:
    if not known:
        return _NAMED
    longest_first = sorted(known, key=len, reverse=True)
    bare = "|".join(re.escape(name) for name in longest_first)
    return re.compile(rf"{_NAMED.pattern}|(?<![\w\-])(?:{bare})(?![\w\-])", re.IGNORECASE)


def _folders(paths: Paths, model: Path) -> Iterator[Path]:
    if model.is_dir():
        yield model / FOLDER
    else:
        yield model.with_suffix("") / FOLDER
        yield model.parent / FOLDER
    yield paths.models / FOLDER
    for folder in extra_folders(paths):
        yield folder / FOLDER
        yield folder.parent / FOLDER


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() in SUFFIXES else None
    tries = (path / f"{_LEARNED}{suffix}" for suffix in SUFFIXES)
    return next((file for file in tries if file.is_file()), None)
