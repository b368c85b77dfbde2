"""Paintings that were under way when Blender closed. No bpy.

The daemon goes on with a job whoever leaves, and keeps its results. A note of each painting lies
in the data folder until its files are saved or it has failed; a note whose Blender is gone is a
painting to be fetched.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from underpaint.paths import Paths
from underpaint.wire.connection import process_alive

_MOST_NOTES = 200


@dataclass(frozen=True, slots=True)
class Note:
    """`request`: canonical JSON. `scene`: its name. `folder`: where the results go. `pid`: the
    Blender that asked."""

    job: str
    title: str
    request: str
    scene: str
    folder: str
    pid: int


def write(paths: Paths, note: Note) -> None:
    """Note a painting before it is handed over. Raises OSError."""
    folder = _folder(paths)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{note.job}.json").write_text(json.dumps(asdict(note)), encoding="utf-8")
    _keep_newest(folder)


def forget(paths: Paths, job: str) -> None:
    """The painting is saved, or there is none."""
    with contextlib.suppress(OSError):
        (_folder(paths) / f"{job}.json").unlink()


def left_over(paths: Paths, own: set[str]) -> tuple[Note, ...]:
    """Notes of Blenders that are gone, oldest first; `own`: jobs that this one follows."""
    found = []
    for file in sorted(_folder(paths).glob("*.json"), key=_age):
        note = _read(file)
        if note is None or note.job in own:
            continue
        if note.pid == os.getpid() or not process_alive(note.pid):
            found.append(note)
    return tuple(found)


def _keep_newest(folder: Path) -> None:
    """Notes of which nobody asked any more do not pile up."""
    for file in sorted(folder.glob("*.json"), key=_age)[:-_MOST_NOTES]:
        with contextlib.suppress(OSError):
            file.unlink()


def _read(file: Path) -> Note | None:
    """A note, or None for one that was cut short: its results are with the daemon all the same."""
    try:
        return Note(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _age(file: Path) -> float:
    with contextlib.suppress(OSError):
        return file.stat().st_mtime
    return 0.0


def _folder(paths: Paths) -> Path:
    return paths.data / "blender"
