"""Jobs of a folder of assets, one after another without a pause: while one is painted, the next is
read and handed over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from underpaint.cli.output import ProgressLine
from underpaint.events import JobEvent, Progress, StateChanged, Warning_
from underpaint.job import Job
from underpaint.wire.messages import JobState

_AHEAD = 2
T = TypeVar("T")
R = TypeVar("R")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Seconds:
    """Where an asset's time went. waiting: from handing the job over until it ran. job: while it
    ran."""

    reading: float
    waiting: float
    job: float
    writing: float


def pipelined(
    items: Iterable[T], begin: Callable[[T], R], end: Callable[[R], Done]
) -> Iterator[Done]:
    """`end(begin(item))` of each item, in order; one is begun before the one before it has ended.
    On an exception those that were begun are left as they are."""
    begun = list[R]()
    for item in items:
        begun.append(begin(item))
        if len(begun) == _AHEAD:
            yield end(begun.pop(0))
    while begun:
        yield end(begun.pop(0))


@dataclass(slots=True)
class Line:
    """The jobs of one command, which the daemon runs one after another. free: when it was last
    known to have ended one."""

    free: float = 0.0

    def follow(self, job: Job, submitted: float) -> tuple[float, float]:
        """Show a job's progress until it ends; its seconds of waiting and of running. Ctrl-C
        cancels the job and keeps the daemon."""
        shown, running = ProgressLine(), None
        first = job.take()
        try:
            for event in first:
                _show(shown, event)
            began_before = any(_runs(event) for event in first)
            for event in () if job.ended else job.events():
                if _runs(event) and running is None:
                    running = time.monotonic()
                _show(shown, event)
        except KeyboardInterrupt:
            job.cancel()
            raise
        finally:
            shown.end()
        ended = time.monotonic()
        if began_before or running is None:  # it began while something else was looked at
            running = max(submitted, self.free)
        self.free = ended
        return running - submitted, ended - running


def _runs(event: JobEvent) -> bool:
    return isinstance(event, Progress) or (
        isinstance(event, StateChanged) and event.state is JobState.RUNNING
    )


def _show(line: ProgressLine, event: JobEvent) -> None:
    if isinstance(event, Progress):
        line.show(event.phase, event.step, event.total, event.eta_s)
    elif isinstance(event, Warning_):
        line.note(f"note: {event.text}")
