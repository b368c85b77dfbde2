"""The job that the worker is at: what the worker says of it while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from underpaint.conversation.progress import BEFORE_PAINTING, STARTING
from underpaint.conversation.usual import Wait
from underpaint.wire.messages import JobState, ProgressInfo
from underpaint_daemon.common.job_contract import Phase
from underpaint_daemon.common.pipe import Message

from ..supervisor import Supervisor
from .commits import attempt
from .live_job import LiveJob
from .rows import JobRow
from .store import Store
from .watchers import LiveJobs


class RunningJob:
    """One attempt at a job, from its start to the worker's last word."""

    def __init__(
        self, job: JobRow, store: Store, live_jobs: LiveJobs, supervisor: Supervisor
    ) -> None:
        self.job = job
        self.live: LiveJob = live_jobs.require(job.id)
        self._store = store
        self._live_jobs = live_jobs
        self._supervisor = supervisor
        self._waits = False
        self._loading: Wait | None = None
        self.begun = False  # whether the worker has said anything of it

    @property
    def paints(self) -> bool:
        """Whether the worker has come so far that it hears between two steps."""
        progress = self.live.progress
        return self.begun and progress is not None and progress.phase not in BEFORE_PAINTING

    def begin(self) -> None:
        """Hand it to the worker."""
        job = self.job
        self._supervisor.send(
            {"t": "run", "job": job.id, "attempt": job.attempts, "request": job.request}
        )
        self._live_jobs.tell(job.id, state=job.state)
        self._wait_for_worker(time.monotonic())
        self.ask_for_preview()

    def take(self, message: Message) -> None:
        """Take in what the worker says before its last word."""
        self.begun = True
        _HANDLERS[message["t"]](self, message)

    def tend(self, now: float) -> None:
        """Tell progress that was held back and is due."""
        self._wait_for_worker(now)
        if self._loading is not None:
            self.live.progress = _ahead(Phase.LOADING, self._loading, now)
        if (held := self.live.throttle.due(now)) is not None:
            self._live_jobs.tell(self.job.id, progress=held)

    def wait(self, yields: bool) -> None:
        """Have it wait at its next step, or go on."""
        if yields is not self._waits:
            self._waits = yields
            self._supervisor.send({"t": "wait", "job": self.job.id, "on": yields})

    def ask_for_preview(self) -> None:
        """Have the worker show what it paints, if somebody wants to see it."""
        if self.live.wants_preview:
            self._supervisor.send({"t": "credit", "job": self.job.id})

    def _wait_for_worker(self, now: float) -> None:
        """Tell once that the worker still starts; whoever asks later hears what is left by then."""
        coming = self._supervisor.coming
        if coming is None:
            return
        first = self.live.progress is None
        self.live.progress = _ahead(STARTING, coming, now)
        if first:
            self._live_jobs.tell(self.job.id, progress=self.live.progress)

    def _started(self, _message: Message) -> None:
        self._advance(JobState.RUNNING)

    def _progress(self, message: Message) -> None:
        if message["phase"] == "saving":
            self._advance(JobState.SAVING)
        now = time.monotonic()
        if message["phase"] == Phase.LOADING and message["step"] == 0:
            self._loading = self._supervisor.loads(self.job.model, now)
        elif self._loading is not None:
            self._supervisor.loaded(self.job.model, self._loading, now)
            self._loading = None
        if self._loading is None:
            told = self.live.take_progress(message, now)
        else:
            told = self.live.tell_now(_ahead(Phase.LOADING, self._loading, now), now)
        if told is not None:
            self._live_jobs.tell(self.job.id, progress=told)

    def _preview(self, message: Message) -> None:
        self.live.take_preview(message)
        self._live_jobs.show_preview(self.job.id)
        self.ask_for_preview()

    def _warning(self, message: Message) -> None:
        self._live_jobs.warn(self.job.id, str(message["text"]))

    def _advance(self, state: JobState) -> None:
        if self.job.state is state:
            return
        if attempt(lambda: self._store.advance(self.job.id, state)):
            self.job = self._store.require(self.job.id)
            self._live_jobs.tell(self.job.id, state=state)


def _ahead(phase: str, wait: Wait, now: float) -> ProgressInfo:
    """Progress of a phase without steps, by how long it usually takes."""
    left = wait.left_s(now)
    return ProgressInfo(phase, 0, 1, None if left is None else round(left, 2))


_HANDLERS: Mapping[str, Callable[[RunningJob, Message], None]] = {
    "started": RunningJob._started,
    "progress": RunningJob._progress,
    "preview": RunningJob._preview,
    "warning": RunningJob._warning,
}
