"""The messages of the queue: its order, its pauses, the GPU left to others. Since 1.1."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from . import limits
from .records import Count, Id, JobInfo, JobState

Lease = Annotated[int, range(limits.MAX_LEASE_S + 1)]


class Place(StrEnum):
    """Where a waiting job goes: before all others, or past its neighbour."""

    FRONT = "front"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class QueueList:
    pass


@dataclass(frozen=True, slots=True)
class Queue:
    """What is under way, then what waits, in the order in which it will run; at most
    `limits.MAX_JOBS_LISTED`, without warnings. `paused`: nothing begins until it is resumed.
    `yielded`: why nothing goes on just now, in the words of who asked for the GPU."""

    jobs: tuple[JobInfo, ...]
    paused: bool = False
    yielded: str | None = None


@dataclass(frozen=True, slots=True)
class QueueMove:
    """Give a waiting job another place in the queue."""

    job: Id
    to: Place = Place.FRONT


@dataclass(frozen=True, slots=True)
class QueueMoveOk:
    """`state` when the wish arrived: only what is queued is moved. `position`: jobs before it."""

    job: Id
    state: JobState
    position: Count | None = None


@dataclass(frozen=True, slots=True)
class QueuePause:
    """Hold the queue, or one job that waits in it, until the same is said with `paused` False.
    What is under way goes on."""

    job: Id | None = None
    paused: bool = True


@dataclass(frozen=True, slots=True)
class QueuePauseOk:
    paused: bool
    job: Id | None = None


@dataclass(frozen=True, slots=True)
class GpuYield:
    """Leave the GPU to somebody else for so many seconds from now, unless this session says it
    again before; 0: go on. `why`: for who waits."""

    seconds: Lease
    why: str = ""


@dataclass(frozen=True, slots=True)
class GpuYieldOk:
    seconds: Lease
