"""What messages speak of: jobs and their states, result files, models."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from . import limits

Id = Annotated[str, limits.ID]
Sha256 = Annotated[str, limits.SHA256]
Count = Annotated[int, range(2**53)]
Plain = dict[str, Any]


class JobState(StrEnum):
    """A job's life. The last three are terminal and never left."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    SAVING = "saving"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class CancelMode(StrEnum):
    """`soft` stops at the next step; `hard` kills the worker after a grace; `keep` stops at the
    next step too, and the job ends as done with what is painted by then."""

    SOFT = "soft"
    HARD = "hard"
    KEEP = "keep"


class ShutdownWhen(StrEnum):
    """`idle` waits for the running job; `now` leaves it to be run again by the next daemon."""

    IDLE = "idle"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class ProgressInfo:
    """`phase`: queued, loading, encoding, denoising, decoding, baking, saving, …; `step` of
    `total` in it; `eta_s`: seconds to the end of that phase, when that can be told."""

    phase: str
    step: Count = 0
    total: Count = 0
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class JobInfo:
    """What the daemon knows of a job. `created`, `updated`: Unix seconds. `seq`: of its last
    event. `position`: jobs before it while queued. `error`: `UnderpaintError.to_dict()`. `paused`:
    that it waits until it is resumed."""

    job: Id
    kind: str
    state: JobState
    seq: Count
    created: float
    updated: float
    title: str = ""
    position: Count | None = None
    progress: ProgressInfo | None = None
    warnings: tuple[str, ...] = ()
    error: Plain | None = None
    paused: bool | None = None


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One result file. `facts`: JSON-like (seed, size, metrics, …)."""

    name: Id
    media: str
    nbytes: Count
    sha256: Sha256
    facts: Plain = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model the daemon can run. `name` is what a request's `model` says.

    `controls`, `samplers`: all that it can be given. `defaults`: what it paints with where a
    request sets nothing: `size` (pixels a side), `sampler`, `steps`, `guidance`, `controls` (those
    of a view, as in a request), and `distillation`, what it was recognised as.
    `size_mb`: of its files. `file`: where it lies, of a model that is a single file. `abilities`:
    what its family can do beside text, by the names of a request's fields: `image` and `mask` to
    begin from, `references`, `ip_adapter`, `attention` (sees them by itself), `loras`, `negative`,
    `image_guidance`, `curves`, `regions`, `controls` where it can be given ControlNets of one's
    own.
    """

    name: str
    family: str
    title: str = ""
    controls: tuple[str, ...] = ()
    loras: tuple[str, ...] = ()
    native_size: Count = 512
    licence: str = ""
    ready: bool = True
    note: str = ""
    samplers: tuple[str, ...] = ()
    defaults: Plain = field(default_factory=dict)
    size_mb: Count | None = None
    abilities: tuple[str, ...] | None = None
    file: str | None = None
