"""What the model would be shown of each control, asked of the daemon. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from underpaint.buffers import Buffers
from underpaint.client import Client
from underpaint.errors import UnderpaintError
from underpaint.events import ResultFile
from underpaint.requests import ImageRequest


@dataclass(slots=True)
class Shown:
    """`files`: the pictures of the last look, by kind; `fresh`: those to be made icons of.
    `asking`: whether they are on their way. `looks`: counts what the panel shows. `error`: why the
    last look came to nothing."""

    files: dict[str, Path] = field(default_factory=dict)
    fresh: bool = False
    asking: bool = False
    looks: int = 0
    error: UnderpaintError | None = None

    def begin(self) -> None:
        """A look is asked for."""
        self.asking, self.error = True, None
        self.looks += 1

    def take(self, files: dict[str, Path]) -> None:
        """It has come."""
        self.files, self.fresh, self.asking = files, True, False
        self.looks += 1

    def fail(self, error: UnderpaintError) -> None:
        """It has not."""
        self.error, self.asking = error, False
        self.looks += 1


def look(request: ImageRequest, buffers: Buffers, folder: Path, up: Client) -> dict[str, Path]:
    """The pictures of a request with `only_controls`, as files in `folder`, by kind; the daemon
    keeps none of it. Waits for what is painted before. Raises UnderpaintError, OSError."""
    job = up.submit(request, buffers)
    files = job.result()
    up.remove(job.id)
    pictures = [file for file in files if "kind" in file.facts]
    folder.mkdir(parents=True, exist_ok=True)
    return {
        str(file.facts["kind"]): _written(file, folder / f"{job.id}_{file.name}")
        for file in pictures
    }


def _written(file: ResultFile, path: Path) -> Path:
    path.write_bytes(file.data)
    return path
