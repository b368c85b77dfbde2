"""The course of the job that runs: begun, tended, stopped, settled, or lost with its worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.wire.messages import FileInfo
from underpaint_daemon.common.pipe import STARVED, Message

from ..config import Config
from ..supervisor import Supervisor, WorkerGone, describe_exit
from .endings import Endings
from .idle import Idle
from .leftover import Leftover
from .results import Folders
from .rows import JobRow
from .running import RunningJob
from .store import Store
from .watchers import LiveJobs

log = logging.getLogger("engine")
_MIB = 1024 * 1024
_OUTCOMES = frozenset({"done", "failed", "cancelled"})


class Course:
    """One job at a time, from the queue to its end. `running`: that job; None = there is none."""

    def __init__(
        self,
        config: Config,
        store: Store,
        folders: Folders,
        supervisor: Supervisor,
        live: LiveJobs,
        endings: Endings,
        idle: Idle,
    ) -> None:
        self._cancel_grace = config.cancel_grace
        self._store = store
        self._folders = folders
        self._supervisor = supervisor
        self._live = live
        self._endings = endings
        self._idle = idle
        self._leftover = Leftover(supervisor)
        self.running: RunningJob | None = None

    def of(self, id: str) -> RunningJob | None:
        """The job, if it is the one that runs."""
        return self.running if self.running is not None and self.running.job.id == id else None

    def begin(self, job: JobRow) -> None:
        """Hand a job that was started to the worker."""
        self._idle.work()
        log.info("job %s begins: %s, attempt %d", job.id, job.kind, job.attempts)
        self.running = RunningJob(job, self._store, self._live, self._supervisor)
        self.running.begin()

    def take(self, message: Message) -> None:
        """Take in what the worker says."""
        running = self.running
        if message["t"] in _OUTCOMES:
            self._leftover.skipped(message["job"])
        if running is not None and message.get("job") == running.job.id:
            if message["t"] not in _OUTCOMES:
                running.take(message)
            elif running.live.unverified:
                running.live.outcome = message
            else:
                self.settle(running, message)

    def tend(self, now: float, *, yields: bool) -> None:
        """Tell what is due of the job that runs, and kill a worker that does not stop it. `yields`:
        whether it is to wait at its next step."""
        running = self.running
        if running is None:
            return
        running.wait(yields)
        running.tend(now)
        live = running.live
        if live.kill_at is not None and now >= live.kill_at:
            log.info("job %s does not stop; its worker is killed", running.job.id)
            self._supervisor.kill()
            self._finish(running, lambda: self._store.finish_cancelled(running.job.id))
            self._supervisor.start()

    def stop(self, running: RunningJob, *, hard: bool) -> None:
        """Have the worker stop its job; one that it does not paint yet ends without it."""
        id, live = running.job.id, running.live
        kill_at = time.monotonic() + self._cancel_grace if hard else None
        live.cancel_asked = True
        self._supervisor.send({"t": "cancel", "job": id})
        if running.paints:
            live.kill_at = live.kill_at or kill_at
            return
        if live.outcome is None:
            self._leftover.add(id, kill_at)
        self._finish(running, lambda: self._store.finish_cancelled(id))

    def settle(self, running: RunningJob, outcome: Message) -> None:
        """The worker's last word on a job."""
        match outcome["t"]:
            case "done":
                self._done(running, outcome)
            case "failed":
                self._fail(running, outcome["error"])
            case _:
                self._finish(running, lambda: self._store.finish_cancelled(running.job.id))

    def replace_silent(self, now: float) -> None:
        """Replace a worker that is silent without work, or does not come to an end with work that
        nobody wants. One that works may not come to speak."""
        running = self.running
        works = self._leftover.there or (running is not None and running.begun)
        if not self._leftover.overdue(now) and (works or not self._supervisor.silent(now)):
            return
        log.warning("the worker comes to nothing; a fresh one takes its place")
        self._supervisor.replace()
        if running is not None and running.live.cancel_asked:
            self._finish(running, lambda: self._store.finish_cancelled(running.job.id))
        elif running is not None:
            self.running = None
            self._endings.again(running.job.id)

    def worker_gone(self, event: WorkerGone) -> bool:
        """The worker ended by itself: try its job once more, or fail it. False: it was another."""
        facts, others = self._supervisor.facts(), self._leftover.there
        if not self._supervisor.gone(event):
            return False
        log.warning("worker %d ended: %s", event.pid, describe_exit(event.code))
        if self.running is not None:
            self._lose_worker(self.running, event.code, facts, others=others)
        return True

    def put_back(self) -> None:
        """Put the job that runs back into the queue, the attempt uncounted."""
        if self.running is not None:
            self._store.requeue(self.running.job.id, count_attempt=False)
            log.info("job %s goes back into the queue", self.running.job.id)
            self.running = None

    def _lose_worker(self, running: RunningJob, code: int, facts: Message, *, others: bool) -> None:
        """`others`: whether the worker was still at a job that nobody wants."""
        job, live = running.job, running.live
        if live.cancel_asked or live.refused is not None:
            self._finish(running, lambda: self._store.finish_cancelled(job.id))
            return
        if others:
            self.running = None
            self._endings.again(job.id)
            return
        where = "" if live.progress is None else f" in {live.progress.phase}"
        memory = int(facts.get("rss", 0)) // _MIB
        how = f"the worker process ended ({describe_exit(code)}){where}"
        self._idle.begin()
        self.running = None
        error = ErrorCode.OUT_OF_MEMORY if code == STARVED else ErrorCode.WORKER_LOST
        self._endings.interrupted(job, f"{how}; it last used {memory} MiB of memory", error)

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
        self._finish(running, lambda: self._store.finish_failed(running.job.id, error))

    def _finish(self, running: RunningJob, commit: Callable[[], JobRow]) -> None:
        self._idle.begin()
        self.running = None
        refused = running.live.refused
        if refused is not None:
            self._endings.end(lambda: self._store.finish_failed(running.job.id, refused.to_dict()))
        else:
            self._endings.end(commit)
