"""Where models lie on a machine besides Underpaint's own folder: used in place, never copied.

The user's folders are written in `model_folders.json` in the data folder, a list of paths that
`underpaint models add` and `remove` keep. A folder is one model, a folder of models, or the home
of another program.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths

from .disk import write_whole

LIST = "model_folders.json"
INDEX = "model_index.json"
MODULAR_INDEX = "modular_model_index.json"
SUFFIXES = (".safetensors", ".gguf")
_REPOSITORY = "models--"
_PACKED = ".gguf"
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of models and the program that keeps it."""

    program: str
    folder: Path


# Where each program keeps whole models, below its home (source: the programs' own documents).
_BELOW_HOME: Mapping[str, tuple[tuple[str, ...], str]] = {
    "ComfyUI": (("ComfyUI", "Documents/ComfyUI", "comfyui"), "models"),
    "A1111": (
        ("stable-diffusion-webui", "stable-diffusion-webui-forge", "automatic1111"),
        "models",
    ),
    "InvokeAI": (("invokeai", "InvokeAI", ".invokeai"), "models"),
    "Fooocus": (("Fooocus", "fooocus"), "models"),
}


def known_places(environ: Mapping[str, str], home: Path) -> list[Place]:
    """The folders of other programs that exist on this machine."""
    found = [Place("Hugging Face", folder) for folder in [_hub_cache(environ, home)]]
    for program, (names, inside) in _BELOW_HOME.items():
        found += [Place(program, home / name / inside) for name in names]
    unique = {place.folder.resolve(): place for place in found if place.folder.is_dir()}
    return list(unique.values())


def _hub_cache(environ: Mapping[str, str], home: Path) -> Path:
    if cache := environ.get("HF_HUB_CACHE"):
        return Path(cache)
    if root := environ.get("HF_HOME"):
        return Path(root) / "hub"
    return Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "huggingface" / "hub"


def extra_folders(paths: Paths) -> list[Path]:
    """The folders that the user added. Raises RequestError(FILE) when the list is no list."""
    file = paths.data / LIST
    if not file.is_file():
        return []
    try:
        rows = json.loads(file.read_text("utf-8"))
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            raise ValueError("it is not a list of paths")
    except (OSError, ValueError) as error:
        raise RequestError(
            ErrorCode.FILE, f"{file} cannot be read: {error}", hint="Mend it, or delete it."
        ) from error
    return [Path(row) for row in rows]


def add_folder(paths: Paths, folder: Path) -> bool:
    """Remember a folder, or a single file; False when it is known already.

    Raises RequestError(FILE) when there is nothing.
    """
    full = folder.expanduser().absolute()
    if not full.exists():
        raise RequestError(ErrorCode.FILE, f"There is nothing at {full}")
    known = extra_folders(paths)
    if full in known:
        return False
    _write(paths, [*known, full])
    return True


def forget_folder(paths: Paths, folder: Path) -> bool:
    """Take a folder off the list; nothing on the disk is touched. False when it is not on it."""
    full = folder.expanduser().absolute()
    known = extra_folders(paths)
    if full not in known:
        return False
    _write(paths, [row for row in known if row != full])
    return True


def extra_models(paths: Paths) -> Iterator[tuple[str, Path]]:
    """Names and paths of the models in the user's folders."""
    for folder in extra_folders(paths):
        yield from models_in(folder)


def models_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Models at or below a folder: a name and where each is. A name is the folder's or the file's;
    in Hugging Face's cache it is `owner--name`."""
    if _is_model(folder):
        yield name_of(folder), folder
    elif folder.is_dir():
        for path in sorted(_walk(folder, _DEPTH)):
            yield name_of(path), path


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    for path in _entries(folder):
        if path.name.startswith(_REPOSITORY):
            yield from _in_repository(path)
        elif _is_model(path):
            if path.is_dir() or _holds_whole_models(folder):
                yield path
        elif path.is_dir() and depth > 0 and not path.name.startswith("."):
            yield from _walk(path, depth - 1)


def _in_repository(repository: Path) -> Iterator[Path]:
    """The model in a repository's snapshot, or the GGUF files of one that has nothing else."""
    for snapshot in _snapshots(repository):
        if _is_model(snapshot):
            yield snapshot
        else:
            yield from (path for path in _entries(snapshot) if path.suffix == _PACKED)


def _holds_whole_models(folder: Path) -> bool:
    """Loose files beside LoRAs and ControlNets are parts; only some folders hold checkpoints."""
    special = {
        "loras",
        "lora",
        "controlnet",
        "vae",
        "embeddings",
        "clip",
        "text_encoders",
        "text_encoder",
    }
    return not special & {part.lower() for part in folder.parts[-2:]}


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # a folder of another user
        return []


def followed(place: Path) -> Path:
    """Where a model truly lies, but a file under the name that it was given: links into Hugging
    Face's cache lead to files without one, and the name says what the model is."""
    return place.parent.resolve() / place.name if place.is_file() else place.resolve()


def snapshot_of(path: Path) -> Path:
    """The model in a repository's folder of Hugging Face's cache; any other path as it is."""
    repository = path.parent if path.name == "snapshots" else path
    if not repository.name.startswith(_REPOSITORY):
        return path
    return next(iter(_snapshots(repository)), path)


def _snapshots(repository: Path) -> list[Path]:
    """The snapshot that `main` points at, else the newest."""
    reference = repository / "refs" / "main"
    if reference.is_file():
        named = repository / "snapshots" / reference.read_text("utf-8").strip()
        if named.is_dir():
            return [named]
    return sorted(_entries(repository / "snapshots"), key=os.path.getmtime)[-1:]


def cached_repository(name: str, environ: Mapping[str, str], home: Path) -> Path | None:
    """A repository's snapshot in Hugging Face's cache, by its name ("owner/name")."""
    folder = _hub_cache(environ, home) / f"{_REPOSITORY}{name.replace('/', '--')}"
    return next(iter(_snapshots(folder)), None)


def is_model_folder(path: Path) -> bool:
    """Whether a folder has a model's index, of either kind."""
    return (path / INDEX).is_file() or (path / MODULAR_INDEX).is_file()


def _is_model(path: Path) -> bool:
    return is_model_folder(path) or (path.suffix in SUFFIXES and path.is_file())


def name_of(path: Path) -> str:
    """A model's name, by where it lies: in Hugging Face's cache it is `owner--name`."""
    if path.parent.name == "snapshots":
        return path.parents[1].name.removeprefix(_REPOSITORY)
    return path.name


def _write(paths: Paths, folders: list[Path]) -> None:
    text = json.dumps([str(folder) for folder in folders], indent=1)
    write_whole(paths.data / LIST, text.encode())
