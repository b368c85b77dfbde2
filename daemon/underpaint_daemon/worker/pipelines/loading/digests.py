"""A model's digest: the sha256 of its weights and configs, remembered while they do not change."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from underpaint_daemon.common.caches import DIGESTS, remember, used
from underpaint_daemon.common.contents.modular import places_elsewhere
from underpaint_daemon.common.model_files import fingerprint

_DIGEST = re.compile("[0-9a-f]{64}")
_COUNTED = (".safetensors", ".json", ".txt")


def model_digest(folder: Path, cache: Path) -> str:
    """sha256 (hex) over the names and contents of a folder's weights, configs and vocabularies, or
    of one file.

    Several gigabytes take seconds, so the result is kept in `cache` under the files' names, sizes
    and times.
    """
    marks = f"{folder.resolve()}\n{fingerprint(folder)}"
    remembered = cache / DIGESTS / hashlib.sha256(marks.encode()).hexdigest()
    with contextlib.suppress(OSError, ValueError):
        if _DIGEST.fullmatch(known := remembered.read_text("ascii").strip()):
            used(remembered)
            return known
    digest = _compute(folder)
    remember(remembered, digest.encode())
    return digest


def whole_digest(place: Path, index: Mapping[str, Any], cache: Path) -> str:
    """A model's digest, over those of its parts too that lie outside of its folder."""
    own, others = model_digest(place, cache), places_elsewhere(index)
    if not others:
        return own
    digests = [own, *(model_digest(other, cache) for other in others)]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


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
