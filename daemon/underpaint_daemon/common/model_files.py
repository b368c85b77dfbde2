"""A model's files: read, and whole. No torch."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

from . import single_files

_VARIANT = re.compile(r"[^.]+\.([^.-]+)(?:-\d+-of-\d+)?\.safetensors")


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


def variant_of(folder: Path) -> str | None:
    """Which variant a network's weights are, as diffusers names them (`NAME.fp16.safetensors`);
    None where there are plain ones. Of several fp16, else the first."""
    found = [_VARIANT.fullmatch(file.name) for file in folder.glob("*.safetensors")]
    names = sorted({match[1] for match in found if match is not None})
    if len(names) == 0 or None in found:
        return None
    return "fp16" if "fp16" in names else names[0]


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


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of a folder's files, or of one file: changes when the model is
    changed on disk."""
    rows = []
    if folder.is_file():
        stat = folder.stat()
        rows.append((folder.name, stat.st_size, stat.st_mtime_ns))
    for root, _, files in os.walk(folder):
        for name in files:
            path = Path(root) / name
            with suppress(FileNotFoundError):  # a link into a cache that was cleared
                stat = path.stat()
                rows.append((path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(rows))


INDEX = "model_index.json"
