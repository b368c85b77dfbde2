"""How a job ends, or is run once more: written into its row first, then told."""

from __future__ import annotations

import logging
from collections.abc import Callable

from underpaint.errors import ErrorCode, JobFailed, RequestError
from underpaint.requests import Request
from underpaint.tree import from_json
from underpaint.wire.messages import JobState

from .commits import Commits
from .rows import JobRow, unreadable
from .store import Store
from .watchers import LiveJobs

log = logging.getLogger("engine")


class Endings:
    """Ends jobs by the table of what may still be tried. max_attempts: runs that a job is given."""

    def __init__(self, store: Store, live: LiveJobs, commits: Commits, max_attempts: int) -> None:
        self._store = store
        self._live = live
        self._commits = commits
        self._max_attempts = max_attempts

    def end(self, commit: Callable[[], JobRow]) -> None:
        """Write a job's end, now or as soon as it can be, and tell it."""

        def end() -> None:
            job = commit()
            code = f": {job.error['code']}" if job.error else ""
            log.info("job %s %s%s", job.id, job.state.value, code)
            self._live.ended(job)

        self._commits.write(end)

    def again(self, id: str) -> None:
        """Put a job that the worker had not come to back into the queue, the attempt uncounted."""
        self._commits.write(lambda: self._store.requeue(id, count_attempt=False))
        log.info("job %s goes back into the queue", id)
        self._live.tell(id, state=JobState.QUEUED)

    def interrupted(self, job: JobRow, what: str, code: ErrorCode = ErrorCode.WORKER_LOST) -> None:
        """A job whose process died: once more, or failed."""
        if job.attempts >= self._max_attempts:
            error = JobFailed(code, f"{what}; this was attempt {job.attempts}")
            self.end(lambda: self._store.finish_failed(job.id, error.to_dict()))
            return
        live = self._live.require(job.id)
        live.progress = None
        self._commits.write(lambda: self._store.requeue(job.id))
        log.info("job %s: %s; it is run again", job.id, what)
        self._live.tell(job.id, state=JobState.QUEUED)
        self._live.warn(job.id, f"{what}; the job is run again")


def take_over(store: Store, live: LiveJobs, endings: Endings) -> list[tuple[JobRow, Request]]:
    """The jobs that the last daemon left undone, with their requests.

    One that this release cannot read fails; one that ran is interrupted.
    """
    found = []
    for job in store.unfinished():
        live.add(job.id, warnings=job.warnings)
        request = _readable(job, store, endings)
        if request is None:
            continue
        if job.state is not JobState.QUEUED:
            endings.interrupted(job, "the daemon ended while the job ran")
        found.append((job, request))
    return [(job, request) for job, request in found if job.id in live]


def _readable(job: JobRow, store: Store, endings: Endings) -> Request | None:
    try:
        return from_json(job.request)
    except RequestError as error:
        failure = unreadable(error).to_dict()
        endings.end(lambda: store.finish_failed(job.id, failure))
        return None
