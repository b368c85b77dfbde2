"""What a job sees of the worker that runs it. No torch here: the daemon reads it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from underpaint.requests import Request

Image8 = npt.NDArray[np.uint8]


class Phase(StrEnum):
    """What a running job is doing; progress is told by phase, step and total."""

    LOADING = "loading"
    YIELDING = "yielding"
    UNWRAPPING = "unwrapping"
    ENCODING = "encoding"
    DENOISING = "denoising"
    DECODING = "decoding"
    PROJECTING = "projecting"
    SAVING = "saving"


class JobCancelled(Exception):
    """Raised by `Reporter.raise_if_cancelled` inside a job whose cancellation was asked for."""


class Reporter(Protocol):
    """The job's line to whoever watches it. Every call is cheap; none blocks on a client."""

    def progress(self, phase: Phase, step: int, total: int) -> None:
        """Tell the phase and the step (0..total)."""

    def raise_if_cancelled(self) -> None:
        """Raise JobCancelled if the job is to stop; wait here while the GPU is left to
        others. Called at least once a denoising step, with nothing locked."""

    def enough(self) -> bool:
        """True when the job is to end at this step and keep what it has."""

    def wants_preview(self) -> bool:
        """True when a client has credit for a preview now; else skip making one."""

    def preview(self, step: int, image: Image8, index: int = 0) -> None:
        """Offer a preview of image `index`, (h, w, 3) uint8 sRGB; only the latest is kept."""

    def warn(self, message: str) -> None:
        """Something the user should know that does not stop the job."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One result file. `name` is unique within the job, e.g. `image_0.png`; `facts` are JSON-like
    (width, height, seed, measures)."""

    name: str
    media: str
    data: bytes
    facts: Mapping[str, Any] = field(default_factory=dict)


class Runner(Protocol):
    """Runs one request. `buffers`: every array the request refers to, by sha256.

    Raises UnderpaintError on failure, JobCancelled when asked to stop.
    """

    def __call__(
        self, request: Request, buffers: Mapping[str, npt.NDArray[Any]], reporter: Reporter
    ) -> list[Artifact]: ...


@runtime_checkable
class Patient(Runner, Protocol):
    """A runner that keeps models on a GPU between jobs, and leaves it to others when asked."""

    def let_go(self) -> None:
        """Take off the GPU what is on it. Called between jobs; never fails."""
