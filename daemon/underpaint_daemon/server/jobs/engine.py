"""The queue's life: what happens to a job from its acceptance to its end.

Runs in the control thread. Order of every change: commit the row, then tell the watchers.
"""

from __future__ import annotations

import logging

from underpaint.errors import RequestError, UnderpaintError
from underpaint.requests import Request
from underpaint.wire.messages import JobInfo, JobState

from ..config import Config
from ..supervisor import FromWorker, Supervisor, WorkerGone
from ..thread_messages import Checked
from .commits import Commits
from .course import Course
from .endings import Endings, take_over
from .idle import Idle
from .intake import accept
from .results import Folders
from .rows import JobRow
from .store import Store
from .watchers import LiveJobs, Messenger
from .yielded import Yielded

log = logging.getLogger("engine")


class Engine:
    """Accepts, runs, cancels and finishes jobs, one at a time."""

    def __init__(
        self,
        config: Config,
        store: Store,
        folders: Folders,
        supervisor: Supervisor,
        messenger: Messenger,
    ) -> None:
        self._store = store
        self._supervisor = supervisor
        self._live = LiveJobs(store, messenger)
        self._commits = Commits()
        self._endings = Endings(store, self._live, self._commits, config.max_attempts)
        self._idle = Idle(supervisor, config.idle_unload)
        self._course = Course(
            config, store, folders, supervisor, self._live, self._endings, self._idle
        )
        self.yielded = Yielded()
        self.draining = False

    # ---- for clients ------------------------------------------------------------------------

    def recover(self) -> list[tuple[JobRow, Request]]:
        """Take over what the last daemon left; returns the jobs that are still to be done.

        One that this release cannot read fails; the others run.
        """
        return take_over(self._store, self._live, self._endings)

    def submit(self, item: Checked) -> tuple[JobRow, bool]:
        """Accept a job; the bool tells that it was accepted before.

        Raises RequestError, ConnectionLost: see `intake.accept`.
        """
        job, known = accept(self._store, item, draining=self.draining)
        if not known:
            self._live.add(job.id, unverified=not item.verified)
        return job, known

    def verified(self, id: str, problem: UnderpaintError | None) -> None:
        """The job's buffers were hashed: let its outcome out, or fail it."""
        live = self._live.get(id)
        if live is None:
            return
        live.unverified, live.refused = False, problem
        running = self._course.of(id)
        if running is None:
            if problem is not None:
                self._endings.end(lambda: self._store.finish_failed(id, problem.to_dict()))
        elif live.outcome is not None:
            self._course.settle(running, live.outcome)
        elif problem is not None:
            self.cancel(id, hard=False)

    def cancel(self, id: str, *, hard: bool) -> JobState:
        """Ask a job to stop; returns its state before. One that has not come to paint ends at
        once. Raises RequestError(JOB_UNKNOWN)."""
        job = self._store.require(id)
        if job.state is JobState.QUEUED:
            self._endings.end(lambda: self._store.finish_cancelled(id))
        elif (running := self._course.of(id)) is not None:
            self._course.stop(running, hard=hard)
        return job.state

    def enough(self, id: str) -> JobState:
        """Ask a job to end with what it has; one that waits has nothing and is cancelled. Returns
        its state before. Raises RequestError(JOB_UNKNOWN)."""
        job = self._store.require(id)
        running = self._course.of(id)
        if job.state is JobState.QUEUED or (running is not None and not running.begun):
            return self.cancel(id, hard=False)
        if running is not None:
            self._supervisor.send({"t": "enough", "job": id})
        return job.state

    def watch(self, id: str, session: str) -> JobInfo:
        """The job as it is; from now on the session gets its events."""
        info = self.info(self._store.require(id))
        if (live := self._live.get(id)) is not None:
            live.watchers.add(session)
        return info

    def credit(self, id: str, session: str, n: int) -> None:
        """Leave to send a session so many previews."""
        if (live := self._live.get(id)) is not None:
            live.give_credit(session, n)
            self._live.show_preview(id)
        if (running := self._course.of(id)) is not None:
            running.ask_for_preview()

    def forget(self, session: str) -> None:
        """A session is gone."""
        self._live.forget(session)
        self.yielded.forget(session)

    def info(self, job: JobRow) -> JobInfo:
        """A job as clients see it."""
        return self._live.info(job)

    @property
    def running(self) -> str | None:
        return None if self._course.running is None else self._course.running.job.id

    @property
    def idle_since(self) -> float:
        """When the last job ended, monotonic seconds."""
        return self._idle.since

    @property
    def busy(self) -> bool:
        """Whether a job runs, is to run, or has an end still to be written. Jobs that are held keep
        no daemon alive: the next one has them."""
        return bool(self._course.running or self._commits.waiting or self._store.next_queued())

    # ---- the loop ---------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Whatever is due: held-back progress, kills, unwritten ends, the next job."""
        self._commits.write_waiting(now)
        self._course.replace_silent(now)
        yields = self.yielded.why(now) is not None
        self._course.tend(now, yields=yields)
        if self._course.running is None and not yields:
            self._idle.keep_gpu()
            self._dispatch(now)
        if self._course.running is None:
            self._idle.tend(now, yields=yields)

    def from_worker(self, event: FromWorker) -> None:
        """Take in a worker's message."""
        if self._supervisor.note(event):
            self._course.take(event.message)

    def worker_gone(self, event: WorkerGone) -> None:
        """The worker ended by itself: try its job once more, or fail it."""
        was_ready = self._supervisor.ready
        if not self._course.worker_gone(event):
            return
        # One that cannot even start is not started again before a job asks for it.
        if was_ready and not self.draining:
            self._supervisor.start()

    def stop(self) -> None:
        """End the worker; a job under way goes back into the queue, the attempt uncounted."""
        self._course.put_back()
        self._supervisor.kill()

    # ---- inside -----------------------------------------------------------------------------

    def _dispatch(self, now: float) -> None:
        if self.draining or self._commits.held(now):
            return
        job = self._store.next_queued()
        if job is None:
            return
        try:
            self._supervisor.start()
            job = self._store.start(job.id)
        except (OSError, RequestError) as error:
            log.warning("job %s cannot start yet: %s", job.id, error)
            self._commits.hold(now)
            return
        self._course.begin(job)
