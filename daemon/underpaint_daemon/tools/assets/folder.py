"""The assets of one command: a file, a folder, or the rows of a table; each with a folder of its
own for its results."""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.paths import is_file
from underpaint.requests import Prompt

from .assets import SUFFIXES
from .cli_objects import objects_in_cell
from .table import guess, read_rows

_LONGEST = 200  # bytes of a folder's name, with room for a number


@dataclass(frozen=True, slots=True)
class Asset:
    """One mesh file to paint, and where its results go. wrong: why it cannot be."""

    mesh: Path
    prompt: Prompt
    out: Path
    seed: int
    objects: tuple[str, ...] = ()
    """`NAME=TEXT` prompts of single objects."""
    wrong: UnderpaintError | None = None


def assets_of(args: argparse.Namespace) -> list[Asset]:
    """The assets that the command line means. Raises RequestError."""
    if not args.mesh.is_dir():
        if args.csv is not None:
            raise RequestError(
                ErrorCode.BAD_REQUEST,
                f"--csv is for a folder of meshes, and {args.mesh} is none",
                hint="Give the folder that the table's files lie in, or --prompt alone.",
            )
        if not args.prompt and args.earlier is None:
            raise RequestError(ErrorCode.BAD_REQUEST, "--prompt is missing: say what to paint")
        prompt = Prompt(args.prompt, args.negative)
        return [Asset(args.mesh, prompt, args.out, args.seed, tuple(args.object_prompt))]
    if args.csv is not None:
        if not (rows := list(_rows(args))):
            raise RequestError(ErrorCode.FILE, f"{args.csv} has no rows below its first")
        return apart(rows, args.out)
    if not args.prompt:
        raise RequestError(ErrorCode.BAD_REQUEST, "a folder needs --csv or --prompt")
    prompt, objects = Prompt(args.prompt, args.negative), tuple(args.object_prompt)
    found = [Asset(file, prompt, args.out, args.seed, objects) for file in _meshes(args.mesh)]
    if not found:
        raise RequestError(
            ErrorCode.FILE,
            f"there is no mesh in the folder {args.mesh}",
            hint=f"Folders below it are not searched. Meshes are {', '.join(SUFFIXES)}.",
        )
    return apart(found, args.out)


def _meshes(folder: Path) -> Iterator[Path]:
    """The mesh files of a folder; what macOS leaves beside them (`._NAME`) is none."""
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in SUFFIXES and file.is_file() and not file.name.startswith("._"):
            yield file


def apart(assets: list[Asset], out: Path) -> list[Asset]:
    """The assets, each with a folder in `out` that no other has: its file's stem; where several
    have that (or one that Windows and macOS take for it), its name; and a number if need be."""
    stems = Counter(_alike(_folder_name(a.mesh.stem)) for a in assets)
    taken = set[str]()
    result = []
    for asset in assets:
        name = _folder_name(asset.mesh.stem)
        if stems[_alike(name)] > 1:
            name = _folder_name(f"{asset.mesh.stem}_{asset.mesh.suffix[1:].lower()}")
        whole, number = name, 2
        while _alike(whole) in taken:
            whole, number = f"{name}_{number}", number + 1
        taken.add(_alike(whole))
        result.append(replace(asset, out=out / whole))
    return result


def _alike(name: str) -> str:
    """What file systems that tell neither case nor composition apart make of a name."""
    return unicodedata.normalize("NFC", name).casefold()


def _folder_name(stem: str) -> str:
    # Windows drops dots and spaces at the end of a name.
    short = stem.encode("utf-8", "surrogateescape")[:_LONGEST]
    kept = stem if len(short) < _LONGEST else short.decode("utf-8", "ignore")
    return kept.rstrip(". ") or "mesh"


def _rows(args: argparse.Namespace) -> Iterator[Asset]:
    """The assets of a CSV file; a row that says too little is one that fails. Raises
    RequestError(FILE) when the table cannot be read."""
    if args.encoding is None and (told := guess(args.csv)) is not None:
        print(f"note: {told}", file=sys.stderr)
    for row in read_rows(args.csv, ("file", "prompt"), args.encoding):
        name, text, seed = row["file"], row["prompt"], row["seed"]
        wrong = None
        whole = _whole(seed or str(args.seed))
        if not name or not text or whole is None:
            wrong = RequestError(
                ErrorCode.FILE,
                f"{args.csv}, line {row.line}: needs a file and a prompt, and seeds are numbers",
            )
        file = _named(args.mesh, name or f"line {row.line}")
        prompt = Prompt(text, row["negative"] or args.negative)
        objects = (*args.object_prompt, *objects_in_cell(row["object_prompts"]))
        yield Asset(file, prompt, args.out, whole or 0, objects, wrong)


def _whole(text: str) -> int | None:
    """A whole number from 0, as spreadsheets write it, too: `3.0`, `1E+05`."""
    if text.isdecimal():
        return int(text)
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return int(number) if number >= 0 and number.is_integer() else None


def _named(folder: Path, name: str) -> Path:
    """The file of a table's row: by its name, or by one that Windows and macOS take for it."""
    if is_file(folder / name):
        return folder / name
    path = folder / name.replace("\\", "/")
    if is_file(path) or not path.parent.is_dir():
        return path
    alike = [found for found in path.parent.iterdir() if _alike(found.name) == _alike(path.name)]
    return alike[0] if len(alike) == 1 else path
