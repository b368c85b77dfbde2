"""A model's files: read, and whole. No torch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

from . import single_files


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
            stat = (Path(root) / name).stat()
            file = (Path(root) / name).relative_to(folder).as_posix()
            rows.append((file, stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(rows))


INDEX = "model_index.json"
