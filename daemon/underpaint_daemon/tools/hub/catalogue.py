"""Sets of models that work well together, and what each is for: `catalogue.json`.

Sizes and memory are round figures from the makers' pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, RequestError

_FILE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True, slots=True)
class Part:
    """Files of one repository. `patterns`: which. `into`: a folder inside the set's."""

    repository: str
    patterns: tuple[str, ...]
    into: str = ""
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class ModelSet:
    """`gb`: on disk. `vram_gb`: of a GPU to paint in. `gated`: its maker wants an account."""

    name: str
    title: str
    purpose: str
    licence: str
    licence_url: str
    gb: float
    vram_gb: float
    gated: bool
    parts: tuple[Part, ...]


def load_catalogue(file: Path = _FILE) -> dict[str, ModelSet]:
    """The sets by name."""
    rows = json.loads(file.read_text("utf-8"))
    return {row["name"]: _set(row) for row in rows}


def find_set(name: str, file: Path = _FILE) -> ModelSet:
    """A set by name. Raises RequestError(MODEL_MISSING) that lists what there is."""
    sets = load_catalogue(file)
    if name not in sets:
        raise RequestError(
            ErrorCode.MODEL_MISSING,
            f"The catalogue has no {name!r}; it has {', '.join(sets)}",
            hint="For any other model, put its folder or file into the models folder, or give its "
            "place with `underpaint models add`.",
        )
    return sets[name]


def _set(row: Mapping[str, Any]) -> ModelSet:
    return ModelSet(
        name=row["name"],
        title=row["title"],
        purpose=row["for"],
        licence=row["licence"],
        licence_url=row["licence_url"],
        gb=float(row["gb"]),
        vram_gb=float(row["vram_gb"]),
        gated=bool(row.get("gated", False)),
        parts=tuple(
            Part(
                part["repository"],
                tuple(part["patterns"]),
                part.get("into", ""),
                part.get("revision", "main"),
            )
            for part in row["parts"]
        ),
    )
