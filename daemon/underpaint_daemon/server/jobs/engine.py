"""The queue's life: what happens to a job from its acceptance to its end.

Runs in the control thread. Order of every change: commit the row, then tell the watchers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from underpaint.errors import ConnectionLost, ErrorCode, JobFailed, RequestError, UnderpaintError
from underpaint.requests import REQUEST_KINDS, Request
from underpaint.tree import from_json, request_digest, to_json
from underpaint.wire.messages import FileInfo, JobInfo, JobState
from underpaint_daemon.common.pipe import STARVED, Message

from ..config import Config
from ..supervisor import FromWorker, Supervisor, WorkerGone, describe_exit
from ..thread_messages import Checked
from .live_job import Track, describe, first_seq, last_seq
from .results import Folders
from .store import Job, Store, unreadable
from .watchers import Audience, send_previews, tell

log = logging.getLogger("engine")
_TITLE = 60
_MAX_WARNINGS = 50
_MAX_WARNING = 500
_RETRY_SECONDS = 1.0
_MIB = 1024 * 1024
_OUTCOMES = frozenset({"done", "failed", "cancelled"})


@dataclass(slots=True)
class _Running:
    job: Job
    track: Track


class Engine:
    """Accepts, runs, cancels and finishes jobs, one at a time."""

    def __init__(
        self,
        config: Config,
        store: Store,
        folders: Folders,
        supervisor: Supervisor,
        audience: Audience,
    ) -> None:
        self._config = config
        self._store = store
        self._folders = folders
        self._supervisor = supervisor
        self._audience = audience
        self._tracks: dict[str, Track] = {}
        self._running: _Running | None = None
        # Ends that could not be written yet because the disk is full; retried until they are.
        self._unsaved: list[Callable[[], object]] = []
        self._retry_at = 0.0
        self._idle_since = time.monotonic()
        self._worker_used = False
        self.draining = False

    # ---- for clients ------------------------------------------------------------------------

    def recover(self) -> list[tuple[Job, Request]]:
        """Take over what the last daemon left; returns the jobs that are still to be done.

        One that this release cannot read fails; the others run.
        """
        found = []
        for job in self._store.unfinished():
            self._tracks[job.id] = Track(first_seq(self._store.starts), warnings=[*job.warnings])
            request = self._readable(job)
            if request is None:
                continue
            if job.state is not JobState.QUEUED:
                self._interrupted(job, "the daemon ended while the job ran")
            found.append((job, request))
        return [(job, request) for job, request in found if job.id in self._tracks]

    def _readable(self, job: Job) -> Request | None:
        try:
            return from_json(job.request)
        except RequestError as error:
            failure = unreadable(error).to_dict()
            self._end(job, lambda: self._store.finish_failed(job.id, failure))
            return None

    def submit(self, item: Checked) -> tuple[Job, bool]:
        """Accept a job; the bool tells that it was accepted before.

        Raises RequestError: JOB_ID_REUSED, DISK_FULL; `item.problem` unless it is a repetition.
        """
        id, request = item.job, item.request
        digest = request_digest(request)
        known = self._store.get(id)
        if known is not None:
            if known.digest != digest:
                raise RequestError(
                    ErrorCode.JOB_ID_REUSED, f"job {id} was submitted with another request"
                )
            return known, True
        if item.problem is not None:
            raise item.problem
        if self.draining:
            raise ConnectionLost(
                ErrorCode.DAEMON_LOST, "the daemon is about to stop; submit to the next one"
            )
        kind = next(name for name, cls in REQUEST_KINDS.items() if isinstance(request, cls))
        title = " ".join(request.prompt.text.split())[:_TITLE]
        job = self._store.add(id, digest, kind, title, to_json(item.settled))
        first = first_seq(self._store.starts)
        self._tracks[id] = Track(first, unverified=not item.verified)
        return job, False

    def verified(self, id: str, problem: UnderpaintError | None) -> None:
        """The job's buffers were hashed: let its outcome out, or fail it."""
        track = self._tracks.get(id)
        if track is None:
            return
        track.unverified, track.refused = False, problem
        running = self._running
        if running is None or running.job.id != id:
            if problem is not None:
                self._end(
                    self._store.require(id),
                    lambda: self._store.finish_failed(id, problem.to_dict()),
                )
        elif track.outcome is not None:
            _HANDLERS[track.outcome["t"]](self, running, track.outcome)
        elif problem is not None:
            self._supervisor.send({"t": "cancel", "job": id})

    def cancel(self, id: str, *, hard: bool) -> JobState:
        """Ask a job to stop; returns its state before. Raises RequestError(JOB_UNKNOWN)."""
        job = self._store.require(id)
        if job.state is JobState.QUEUED:
            self._end(job, lambda: self._store.finish_cancelled(id))
        elif self._running is not None and self._running.job.id == id:
            track = self._running.track
            track.cancel_asked = True
            self._supervisor.send({"t": "cancel", "job": id})
            if hard and track.kill_at is None:
                track.kill_at = time.monotonic() + self._config.cancel_grace
        return job.state

    def watch(self, id: str, session: str) -> JobInfo:
        """The job as it is; from now on the session gets its events."""
        info = self.info(self._store.require(id))
        if (track := self._tracks.get(id)) is not None:
            track.watchers.add(session)
        return info

    def credit(self, id: str, session: str, n: int) -> None:
        """Leave to send a session so many previews."""
        if (track := self._tracks.get(id)) is not None:
            track.give_credit(session, n)
            send_previews(self._audience, track)
            self._ask_for_preview(id, track)

    def forget(self, session: str) -> None:
        """A session is gone."""
        for track in self._tracks.values():
            track.forget(session)

    def info(self, job: Job) -> JobInfo:
        """A job as clients see it."""
        queued = job.state is JobState.QUEUED
        position = self._store.queued_before(job) if queued else None
        seq = last_seq(self._store.starts)
        return describe(job, self._tracks.get(job.id), seq, position)

    @property
    def running(self) -> str | None:
        return None if self._running is None else self._running.job.id

    @property
    def busy(self) -> bool:
        """Whether a job runs, waits, or has an end still to be written."""
        return bool(self._running or self._unsaved or self._store.queued())

    # ---- the loop ---------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Whatever is due: held-back progress, kills, unwritten ends, the next job."""
        self._write_unsaved(now)
        if self._running is not None:
            self._tend(self._running, now)
        if self._running is None:
            self._dispatch(now)
        if self._running is None:
            self._rest(now)

    def from_worker(self, event: FromWorker) -> None:
        """Take in a worker's message."""
        if not self._supervisor.note(event):
            return
        running, message = self._running, event.message
        if running is not None and message.get("job") == running.job.id:
            if running.track.unverified and message["t"] in _OUTCOMES:
                running.track.outcome = message
                return
            _HANDLERS[message["t"]](self, running, message)

    def worker_gone(self, event: WorkerGone) -> None:
        """The worker ended by itself: try its job once more, or fail it."""
        was_ready = self._supervisor.ready
        facts = self._supervisor.facts()
        if not self._supervisor.gone(event):
            return
        log.warning("worker %d ended: %s", event.pid, describe_exit(event.code))
        if self._running is not None:
            self._lose_worker(self._running, event.code, facts)
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
        if self.draining or self._unsaved or now < self._retry_at:
            return
        job = self._store.next_queued()
        if job is None:
            return
        try:
            self._supervisor.start()
            job = self._store.start(job.id)
        except (OSError, RequestError) as error:
            log.warning("job %s cannot start yet: %s", job.id, error)
            self._retry_at = now + _RETRY_SECONDS
            return
        track = self._tracks[job.id]
        self._running = _Running(job, track)
        self._worker_used = True
        self._supervisor.send(
            {
                "t": "run",
                "job": job.id,
                "attempt": job.attempts,
                "request": job.request,
            }
        )
        tell(self._audience, job.id, track, state=job.state)
        self._ask_for_preview(job.id, track)

    def _tend(self, running: _Running, now: float) -> None:
        track = running.track
        if (held := track.throttle.due(now)) is not None:
            tell(self._audience, running.job.id, track, progress=held)
        if track.kill_at is not None and now >= track.kill_at:
            log.info("job %s does not stop; its worker is killed", running.job.id)
            self._supervisor.kill()
            self._finish(running, lambda: self._store.finish_cancelled(running.job.id))
            self._supervisor.start()

    def _rest(self, now: float) -> None:
        if self._worker_used and now - self._idle_since > self._config.idle_unload:
            # Only the end of a process gives all memory back, on the host and on the GPU.
            log.info("the worker was idle; a fresh one takes its place")
            self._worker_used = False
            self._supervisor.kill()
            self._supervisor.start()

    def _lose_worker(self, running: _Running, code: int, facts: Message) -> None:
        job, track = running.job, running.track
        if track.cancel_asked or track.refused is not None:
            self._finish(running, lambda: self._store.finish_cancelled(job.id))
            return
        where = "" if track.progress is None else f" in {track.progress.phase}"
        memory = int(facts.get("rss", 0)) // _MIB
        how = f"the worker process ended ({describe_exit(code)}){where}"
        self._idle_since, self._running = time.monotonic(), None
        error = ErrorCode.OUT_OF_MEMORY if code == STARVED else ErrorCode.WORKER_LOST
        self._interrupted(job, f"{how}; it last used {memory} MiB of memory", error)

    def _interrupted(self, job: Job, what: str, code: ErrorCode = ErrorCode.WORKER_LOST) -> None:
        """A job whose process died: once more, or failed."""
        if job.attempts >= self._config.max_attempts:
            error = JobFailed(code, f"{what}; this was attempt {job.attempts}")
            self._end(job, lambda: self._store.finish_failed(job.id, error.to_dict()))
            return
        track = self._tracks[job.id]
        track.progress = None
        if not self._try(lambda: self._store.requeue(job.id)):
            self._unsaved.append(lambda: self._store.requeue(job.id))
        tell(self._audience, job.id, track, state=JobState.QUEUED)
        self._warn(job.id, track, f"{what}; the job is run again")

    def _started(self, running: _Running, _message: Message) -> None:
        self._advance(running, JobState.RUNNING)

    def _progress(self, running: _Running, message: Message) -> None:
        if message["phase"] == "saving":
            self._advance(running, JobState.SAVING)
        told = running.track.take_progress(message, time.monotonic())
        if told is not None:
            tell(self._audience, running.job.id, running.track, progress=told)

    def _preview(self, running: _Running, message: Message) -> None:
        running.track.take_preview(message)
        send_previews(self._audience, running.track)
        self._ask_for_preview(running.job.id, running.track)

    def _warning(self, running: _Running, message: Message) -> None:
        self._warn(running.job.id, running.track, str(message["text"]))

    def _done(self, running: _Running, message: Message) -> None:
        job = running.job
        files = [FileInfo(**file) for file in message["files"]]
        try:
            self._folders.complete(job.id)
        except UnderpaintError as error:
            self._fail(running, error.to_dict())
            return
        self._finish(running, lambda: self._store.finish_done(job.id, files))

    def _failed(self, running: _Running, message: Message) -> None:
        self._fail(running, message["error"])

    def _cancelled(self, running: _Running, _message: Message) -> None:
        self._finish(running, lambda: self._store.finish_cancelled(running.job.id))

    def _fail(self, running: _Running, error: dict[str, Any]) -> None:
        log.info("job %s failed: %s", running.job.id, error["code"])
        self._finish(running, lambda: self._store.finish_failed(running.job.id, error))

    def _advance(self, running: _Running, state: JobState) -> None:
        if running.job.state is state:
            return
        if self._try(lambda: self._store.advance(running.job.id, state)):
            running.job = self._store.require(running.job.id)
            tell(self._audience, running.job.id, running.track, state=state)

    def _finish(self, running: _Running, commit: Callable[[], Job]) -> None:
        self._idle_since, self._running = time.monotonic(), None
        refused = running.track.refused
        if refused is not None:
            self._end(
                running.job,
                lambda: self._store.finish_failed(running.job.id, refused.to_dict()),
            )
        else:
            self._end(running.job, commit)

    def _end(self, job: Job, commit: Callable[[], Job]) -> None:
        def end() -> None:
            ended = commit()
            track = self._tracks.pop(job.id, None)
            if track is not None:
                error = None if ended.error is None else dict(ended.error)
                tell(self._audience, job.id, track, state=ended.state, error=error)
            self._audience.ended(job.id)

        if not self._try(end):
            self._unsaved.append(end)

    def _write_unsaved(self, now: float) -> None:
        if self._unsaved and now >= self._retry_at:
            self._retry_at = now + _RETRY_SECONDS
            while self._unsaved and self._try(self._unsaved[0]):
                self._unsaved.pop(0)

    def _warn(self, id: str, track: Track, text: str) -> None:
        if len(track.warnings) < _MAX_WARNINGS:
            track.warnings.append(text[:_MAX_WARNING])
            self._try(lambda: self._store.warn(id, track.warnings))
            tell(self._audience, id, track, warning=track.warnings[-1])

    def _try(self, commit: Callable[[], object]) -> bool:
        try:
            commit()
        except RequestError as error:
            log.warning("%s", error.message)
            return False
        return True

    def _ask_for_preview(self, id: str, track: Track) -> None:
        if self.running == id and track.wants_preview:
            self._supervisor.send({"t": "credit", "job": id})


_HANDLERS: Mapping[str, Callable[[Engine, _Running, Message], None]] = {
    "started": Engine._started,
    "progress": Engine._progress,
    "preview": Engine._preview,
    "warning": Engine._warning,
    "done": Engine._done,
    "failed": Engine._failed,
    "cancelled": Engine._cancelled,
}
