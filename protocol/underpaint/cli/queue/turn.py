"""What is told of a job that waits: how many are before it, and why nothing begins."""

from __future__ import annotations

import time
from contextlib import suppress

from ...client import Client
from ...conversation.progress import told_left
from ...conversation.queue import before
from ...errors import ConnectionLost
from ...job import Job
from ...wire.queue import Queue
from ...wire.records import JobInfo, JobState
from ..output import told_count
from ..terminal.progress_line import ProgressLine, told_phase
from . import changing

_EVERY_S = 2.0


class Turn:
    """A job's turn in the queue, told on a line while it waits for it."""

    def __init__(self, up: Client, job: Job, line: ProgressLine) -> None:
        self._up, self._job, self._line = up, job, line
        self._asked_at = -_EVERY_S

    def look(self) -> None:
        """Ask for it when it is time; to be called again and again."""
        now, info = time.monotonic(), self._job.info
        waits = info is not None and info.state is JobState.QUEUED
        if not waits or now - self._asked_at < _EVERY_S:
            return
        self._asked_at = now
        with suppress(ConnectionLost):  # who follows the job sees to that
            why, more = standing(changing.seen(self._up), self._job.id)
            if why:
                self._line.wait(why, more)


def standing(queue: Queue, job: str) -> tuple[str, str]:
    """Why a job does not begin, and what the one under way does; empty where it is next, or waits
    no longer."""
    count = before(queue, job)
    if count is None:
        return "", ""
    reasons = changing.told(queue)
    if any(info.paused for info in queue.jobs if info.job == job):
        reasons.append(f"it is paused: `underpaint jobs resume {job}`")
    if count:
        reasons.append(f"{told_count(count, 'job')} before it")
    if not reasons:
        return "", ""
    return f"waiting: {'; '.join(reasons)}", _under_way(queue.jobs[0]) if count else ""


def _under_way(first: JobInfo) -> str:
    """E.g. `, now painting 3/10 (40 s left)`."""
    progress = first.progress
    if first.state is JobState.QUEUED or progress is None:
        return ""
    left = f" ({told_left(progress.eta_s)})" if progress.eta_s else ""
    return f", now {told_phase(progress)}{left}"
