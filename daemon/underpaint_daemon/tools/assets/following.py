"""Following the jobs of a command: their progress on the terminal, and their seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from underpaint.cli.queue.turn import Turn
from underpaint.cli.terminal.progress_line import ProgressLine
from underpaint.client import Client
from underpaint.conversation.progress import STARTING
from underpaint.events import JobEvent, Progress, StateChanged
from underpaint.job import Job
from underpaint.wire.messages import JobState


@dataclass(slots=True)
class Line:
    """The jobs of one command, which the daemon runs one after another. up: its client. shown:
    where their progress is told. free: when the daemon was last known to have ended one."""

    up: Client
    shown: ProgressLine
    free: float = 0.0

    def follow(self, job: Job, submitted: float) -> tuple[float, float]:
        """Show a job's progress until it ends; its seconds of waiting and of running. Ctrl-C
        cancels the job and keeps the daemon."""
        shown, running = self.shown, None
        shown.job(texture=True)
        turn = Turn(self.up, job, shown)
        first = job.take()
        try:
            for event in first:
                shown.event(event)
            began_before = any(_runs(event) for event in first)
            for event in () if job.ended else job.events(meanwhile=turn.look):
                if _runs(event) and running is None:
                    running = time.monotonic()
                shown.event(event)
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
    if isinstance(event, Progress):
        return event.phase != STARTING
    return isinstance(event, StateChanged) and event.state is JobState.RUNNING
