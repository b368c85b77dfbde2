"""The queue's life: what happens to a job from its acceptance to its end.

Runs in the control thread. Order of every change: commit the row, then tell the watchers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.requests import Request
from underpaint.wire.messages import FileInfo, JobInfo, JobState
from underpaint_daemon.common.pipe import STARVED, Message

from ..config import Config
from ..supervisor import FromWorker, Supervisor, WorkerGone, describe_exit
from ..thread_messages import Checked
from .commits import Commits
from .endings import Endings, take_over
from .idle import Idle
from .intake import accept
from .leftover import Leftover
from .results import Folders
from .rows import JobRow
from .running import RunningJob
from .store import Store
from .watchers import LiveJobs, Messenger
from .yielded import Yielded

log = logging.getLogger("engine")
_MIB = 1024 * 1024
_OUTCOMES = frozenset({"done", "failed", "cancelled"})


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
        self._config = config
        self._store = store
        self._folders = folders
        self._supervisor = supervisor
        self._live = LiveJobs(store, messenger)
        self._running: RunningJob | None = None
        self._commits = Commits()
        self._endings = Endings(store, self._live, self._commits, config.max_attempts)
        self._leftover = Leftover(supervisor)
        self.yielded = Yielded()
        self._idle = Idle(supervisor, config.idle_unload)
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
        running = self._running
        if running is None or running.job.id != id:
            if problem is not None:
                self._endings.end(lambda: self._store.finish_failed(id, problem.to_dict()))
        elif live.outcome is not None:
            self._settle(running, live.outcome)
        elif problem is not None:
            self.cancel(id, hard=False)

    def cancel(self, id: str, *, hard: bool) -> JobState:
        """Ask a job to stop; returns its state before. One that has not come to paint ends at
        once. Raises RequestError(JOB_UNKNOWN)."""
        job = self._store.require(id)
        if job.state is JobState.QUEUED:
            self._endings.end(lambda: self._store.finish_cancelled(id))
        elif self._running is not None and self._running.job.id == id:
            self._stop(self._running, hard=hard)
        return job.state

    def enough(self, id: str) -> JobState:
        """Ask a job to end with what it has; one that waits has nothing and is cancelled. Returns
        its state before. Raises RequestError(JOB_UNKNOWN)."""
        job = self._store.require(id)
        running = self._running if self.running == id else None
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
        if self._running is not None and self._running.job.id == id:
            self._running.ask_for_preview()

    def forget(self, session: str) -> None:
        """A session is gone."""
        self._live.forget(session)
        self.yielded.forget(session)

    def info(self, job: JobRow) -> JobInfo:
        """A job as clients see it."""
        return self._live.info(job)

    @property
    def running(self) -> str | None:
        return None if self._running is None else self._running.job.id

    @property
    def idle_since(self) -> float:
        """When the last job ended, monotonic seconds."""
        return self._idle.since

    @property
    def busy(self) -> bool:
        """Whether a job runs, is to run, or has an end still to be written. Jobs that are held keep
        no daemon alive: the next one has them."""
        return bool(self._running or self._commits.waiting or self._store.next_queued())

    # ---- the loop ---------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Whatever is due: held-back progress, kills, unwritten ends, the next job."""
        self._commits.write_waiting(now)
        self._replace_silent(now)
        yields = self.yielded.why(now) is not None
        if self._running is not None:
            self._running.wait(yields)
            self._tend(self._running, now)
        if self._running is None and not yields:
            self._idle.keep_gpu()
            self._dispatch(now)
        if self._running is None:
            self._idle.tend(now, yields=yields)

    def from_worker(self, event: FromWorker) -> None:
        """Take in a worker's message."""
        if not self._supervisor.note(event):
            return
        running, message = self._running, event.message
        if message["t"] in _OUTCOMES:
            self._leftover.skipped(message["job"])
        if running is not None and message.get("job") == running.job.id:
            if message["t"] not in _OUTCOMES:
                running.take(message)
            elif running.live.unverified:
                running.live.outcome = message
            else:
                self._settle(running, message)

    def worker_gone(self, event: WorkerGone) -> None:
        """The worker ended by itself: try its job once more, or fail it."""
        was_ready = self._supervisor.ready
        facts, others = self._supervisor.facts(), self._leftover.there
        if not self._supervisor.gone(event):
            return
        log.warning("worker %d ended: %s", event.pid, describe_exit(event.code))
        if self._running is not None:
            self._lose_worker(self._running, event.code, facts, others=others)
        # One that cannot even start is not started again before a job asks for it.
        if was_ready and not self.draining:
            self._supervisor.start()

    def stop(self) -> None:
        """End the worker; a job under way goes back into the queue, the attempt uncounted."""
        if self._running is not None:
            self._store.requeue(self._running.job.id, count_attempt=False)
            self._running = None
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
        self._idle.work()
        self._running = RunningJob(job, self._store, self._live, self._supervisor)
        self._running.begin()

    def _stop(self, running: RunningJob, *, hard: bool) -> None:
        """Have the worker stop its job; one that it does not paint yet ends without it."""
        id, live = running.job.id, running.live
        kill_at = time.monotonic() + self._config.cancel_grace if hard else None
        live.cancel_asked = True
        self._supervisor.send({"t": "cancel", "job": id})
        if running.paints:
            live.kill_at = live.kill_at or kill_at
            return
        if live.outcome is None:
            self._leftover.add(id, kill_at)
        self._finish(running, lambda: self._store.finish_cancelled(id))

    def _replace_silent(self, now: float) -> None:
        """Replace a worker that is silent without work, or does not come to an end with work that
        nobody wants. One that works may not come to speak."""
        running = self._running
        works = self._leftover.there or (running is not None and running.begun)
        if not self._leftover.overdue(now) and (works or not self._supervisor.silent(now)):
            return
        log.warning("the worker comes to nothing; a fresh one takes its place")
        self._supervisor.replace()
        if running is not None and running.live.cancel_asked:
            self._finish(running, lambda: self._store.finish_cancelled(running.job.id))
        elif running is not None:
            self._running = None
            self._endings.again(running.job.id)

    def _tend(self, running: RunningJob, now: float) -> None:
        live = running.live
        running.tend(now)
        if live.kill_at is not None and now >= live.kill_at:
            log.info("job %s does not stop; its worker is killed", running.job.id)
            self._supervisor.kill()
            self._finish(running, lambda: self._store.finish_cancelled(running.job.id))
            self._supervisor.start()

    def _lose_worker(self, running: RunningJob, code: int, facts: Message, *, others: bool) -> None:
        """`others`: whether the worker was still at a job that nobody wants."""
        job, live = running.job, running.live
        if live.cancel_asked or live.refused is not None:
            self._finish(running, lambda: self._store.finish_cancelled(job.id))
            return
        if others:
            self._running = None
            self._endings.again(job.id)
            return
        where = "" if live.progress is None else f" in {live.progress.phase}"
        memory = int(facts.get("rss", 0)) // _MIB
        how = f"the worker process ended ({describe_exit(code)}){where}"
        self._idle.begin()
        self._running = None
        error = ErrorCode.OUT_OF_MEMORY if code == STARVED else ErrorCode.WORKER_LOST
        self._endings.interrupted(job, f"{how}; it last used {memory} MiB of memory", error)

    def _settle(self, running: RunningJob, outcome: Message) -> None:
        """The worker's last word on a job."""
        match outcome["t"]:
            case "done":
                self._done(running, outcome)
            case "failed":
                self._fail(running, outcome["error"])
            case _:
                self._finish(running, lambda: self._store.finish_cancelled(running.job.id))

    def _done(self, running: RunningJob, message: Message) -> None:
        job = running.job
        files = [FileInfo(**file) for file in message["files"]]
        try:
            self._folders.complete(job.id)
        except UnderpaintError as error:
            self._fail(running, error.to_dict())
            return
        self._finish(running, lambda: self._store.finish_done(job.id, files))

    def _fail(self, running: RunningJob, error: dict[str, Any]) -> None:
        log.info("job %s failed: %s", running.job.id, error["code"])
        self._finish(running, lambda: self._store.finish_failed(running.job.id, error))

    def _finish(self, running: RunningJob, commit: Callable[[], JobRow]) -> None:
        self._idle.begin()
        self._running = None
        refused = running.live.refused
        if refused is not None:
            self._endings.end(lambda: self._store.finish_failed(running.job.id, refused.to_dict()))
        else:
            self._endings.end(commit)
