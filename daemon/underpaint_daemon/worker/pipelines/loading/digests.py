"""A model's digest: the sha256 of its weights and configs, remembered while they do not change."""

from __future__ import annotations

import hashlib
from pathlib import Path

from underpaint_daemon.common.model_files import fingerprint

_COUNTED = (".safetensors", ".json", ".txt")


def model_digest(folder: Path, cache: Path) -> str:
    """sha256 (hex) over the names and contents of a folder's weights, configs and vocabularies, or
    of one file.

    Several gigabytes take seconds, so the result is kept in `cache` under the files' names, sizes
    and times.
    """
    marks = f"{folder.resolve()}\n{fingerprint(folder)}"
    remembered = cache / "digests" / hashlib.sha256(marks.encode()).hexdigest()
    if remembered.is_file():
        return remembered.read_text("ascii").strip()
    digest = _compute(folder)
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(digest, "ascii")
    return digest


def file_digest(file: Path) -> str:
    """sha256 (hex) of one file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _compute(folder: Path) -> str:
    if folder.is_file():
        return file_digest(folder)
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in _COUNTED:
            name = file.relative_to(folder).as_posix()
            total.update(f"{name} {file_digest(file)}\n".encode())
    return total.hexdigest()
