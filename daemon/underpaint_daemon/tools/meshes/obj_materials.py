"""What an artist's MTL says of a material beside its colour: its lines, for the painted one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from underpaint.errors import RequestError
from underpaint.files.imagefile import read_texels
from underpaint.paths import is_file

from .obj import as_bytes
from .text import decoded_name

Array = npt.NDArray[Any]
_PAINTED = frozenset(("kd", "map_kd", "map_ka"))
"""What the paint takes the place of."""


def kept_lines(path: Path, source: bytes, out: Path) -> Mapping[str, Sequence[str]]:
    """The lines of the materials of an OBJ file by name, without those that paint replaces; the
    pictures that they name as seen from `out`'s folder. Libraries that cannot be read have none."""
    found: dict[str, list[str]] = {}
    for name in _libraries(source):
        library = path.parent / decoded_name(name).replace("\\", "/")
        try:
            data = library.read_bytes()
        except (OSError, ValueError):
            continue
        _read(data, library.parent, out.parent, found)
    return found


def cuts_of(kept: Mapping[str, Sequence[str]], folder: Path) -> dict[str, Array]:
    """What `map_d` pictures cut out, alpha (h, w) uint8 by material: the alpha of those that have
    one, else their grey. Those that are moved, or cannot be read, cut nothing. folder: which the
    lines name them from."""
    found = {}
    for name, lines in kept.items():
        for line in lines:
            word, _, rest = line.partition(" ")
            if word.lower() == "map_d" and is_file(folder / rest):
                try:
                    pixels = read_texels(folder / rest)
                except RequestError:
                    continue
                found[name] = pixels[..., 3] if pixels.shape[2] == 4 else pixels[..., 1]
    return found


def _libraries(source: bytes) -> list[bytes]:
    """The names of libraries; several on a line, or one with blanks in it."""
    if b"mtllib" not in source:
        return []
    lines = [line.split(None, 1) for line in as_bytes(source).split(b"\n")]
    rest = [line[1].strip() for line in lines if len(line) == 2 and line[0] == b"mtllib"]
    return list(dict.fromkeys(name for line in rest for name in (line, *line.split())))


def _read(data: bytes, folder: Path, out: Path, found: dict[str, list[str]]) -> None:
    lines: list[str] = []
    for line in as_bytes(data).split(b"\n"):
        word, _, rest = decoded_name(line).strip().partition(" ")
        if word == "newmtl":
            lines = found.setdefault(rest.strip(), [])
        elif word and not word.startswith("#") and word.lower() not in _PAINTED:
            lines.append(f"{word} {_moved(rest.strip(), folder, out)}".rstrip())


def _moved(text: str, folder: Path, out: Path) -> str:
    """A line's words, the file that they end with named as seen from `out`."""
    words = text.split(" ")
    for first in range(len(words)):
        name = " ".join(words[first:])
        picture = folder / name.replace("\\", "/")
        if name and is_file(picture):
            return " ".join([*words[:first], _seen_from(picture, out)])
    return text


def _seen_from(path: Path, folder: Path) -> str:
    try:
        return os.path.relpath(path, folder).replace("\\", "/")
    except ValueError:  # on another drive
        return str(path.absolute())
