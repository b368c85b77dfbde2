"""One painting of an artist, from submit to files on disk."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from underpaint.buffers import Buffers
from underpaint.conversation.progress import Course
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.events import Done, Failed, JobEvent, Preview, Progress, StateChanged, Warning_
from underpaint.job import Job
from underpaint.requests import Request, TextureRequest

from ..plain.surfaces import Target
from ..plain.udim import FIRST_TILE


@dataclass(slots=True, eq=False)
class Task:
    """One painting, from submit to files on disk. Changed by `Session.tick` only.

    `scene`: the name of the scene it is for. `folder`: where its files go. `files`: the images
    on disk once they are there; `elsewhere`: that they are not in `folder`; `error`: why there are
    none. `target`: what a texture is for;
    None for pictures. `passing`: of the live view; it is shown and not kept. `buffers`: what the
    request refers to, while at hand. `preview`: (h, w, 3) uint8, the newest; `tiles`: the newest
    of each UDIM number of a texture. `finished`: the preview of the last step, which is the picture
    itself; a passing one has ended with it. `course`: how far it is as a whole.
    """

    id: str
    request: Request
    scene: str
    folder: Path
    target: Target | None = None
    buffers: Buffers | None = None
    passing: bool = False
    job: Job | None = None
    phase: str = "queued"
    step: int = 0
    total: int = 0
    course: Course = field(init=False)
    preview: npt.NDArray[np.uint8] | None = None
    tiles: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict)
    previews_seen: int = 0
    warnings: list[str] = field(default_factory=list)
    finished: npt.NDArray[np.uint8] | None = None
    files: tuple[Path, ...] = ()
    elsewhere: UnderpaintError | None = None
    error: UnderpaintError | None = None
    fetching: bool = False
    to_fetch: bool = False
    passed: bool = False

    @property
    def ended(self) -> bool:
        return bool(self.files) or self.passed or self.error is not None

    @property
    def not_saved(self) -> bool:
        """Whether it is painted, and no folder took it: the daemon has it still."""
        return self.error is not None and self.error.code is ErrorCode.NOT_SAVED

    @property
    def fraction(self) -> float:
        """Of the whole, 0–1; it never goes back."""
        return 1.0 if self.to_fetch else self.course.part

    @property
    def left_s(self) -> float | None:
        """Seconds to its end, once that can be said."""
        return self.course.left_s(time.monotonic())

    def __post_init__(self) -> None:
        self.course = Course(texture=isinstance(self.request, TextureRequest))

    def take(self, event: JobEvent) -> None:
        """Show what happened to it."""
        match event:
            case Progress():
                self.phase, self.step, self.total = event.phase, event.step, event.total
                now = time.monotonic()
                self.course.take(event.phase, event.step, event.total, event.eta_s, now)
            case StateChanged():
                self.phase, self.step, self.total = event.state.value, 0, 0
            case Preview():
                self.preview = event.image
                self.tiles[FIRST_TILE + event.index] = event.image
                self.previews_seen += 1
                if event.step == event.total:
                    self.finished = event.image
            case Warning_():
                self.warnings.append(event.text)
            case Done():
                self.passed = self.passing and self.finished is not None
                self.phase, self.step, self.total = "fetching", 0, 0
                self.to_fetch = not self.passed
            case Failed():
                self.error = event.error
