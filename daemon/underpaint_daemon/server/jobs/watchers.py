"""The unfinished jobs, and telling those who watch one what happens to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from underpaint.wire.envelope import Buffer
from underpaint.wire.messages import Event, JobInfo, JobState, Preview, ProgressInfo

from .commits import attempt
from .live_job import LiveJob, describe, first_seq, last_seq
from .rows import JobRow
from .store import Store

_MAX_WARNINGS = 50
_MAX_WARNING = 500


class Messenger(Protocol):
    """Whoever brings events and previews to the sessions; never waits for one."""

    def event(self, session: str, event: Event) -> None: ...

    def preview(self, session: str, preview: Preview, buffer: Buffer) -> None: ...

    def ended(self, job: str) -> None:
        """The job is over, for whoever keeps its buffers."""


class LiveJobs:
    """The live side of every unfinished job, by its id."""

    def __init__(self, store: Store, messenger: Messenger) -> None:
        self._store = store
        self._messenger = messenger
        self._live: dict[str, LiveJob] = {}

    def add(self, id: str, *, warnings: Sequence[str] = (), unverified: bool = False) -> None:
        """A job that is to be done."""
        first = first_seq(self._store.starts)
        self._live[id] = LiveJob(first, warnings=[*warnings], unverified=unverified)

    def __contains__(self, id: str) -> bool:
        return id in self._live

    def get(self, id: str) -> LiveJob | None:
        """The live side of a job; None when it has ended."""
        return self._live.get(id)

    def require(self, id: str) -> LiveJob:
        """The live side of a job that has not ended."""
        return self._live[id]

    def info(self, job: JobRow) -> JobInfo:
        """A job as clients see it."""
        queued = job.state is JobState.QUEUED
        position = self._store.queued_before(job) if queued else None
        return describe(job, self._live.get(job.id), last_seq(self._store.starts), position)

    def forget(self, session: str) -> None:
        """A session is gone."""
        for live in self._live.values():
            live.forget(session)

    def tell(
        self,
        id: str,
        *,
        state: JobState | None = None,
        progress: ProgressInfo | None = None,
        warning: str | None = None,
    ) -> None:
        """Number an event and send it to everybody who watches the job."""
        live = self._live[id]
        self._send(live, Event(id, live.next_seq(), state, progress, warning))

    def warn(self, id: str, text: str) -> None:
        """Note a warning in the job's row, and tell it."""
        live = self._live[id]
        if len(live.warnings) < _MAX_WARNINGS:
            live.warnings.append(text[:_MAX_WARNING])
            attempt(lambda: self._store.warn(id, live.warnings))
            self.tell(id, warning=live.warnings[-1])

    def show_preview(self, id: str) -> None:
        """Send the newest preview to everybody who has credit and has not seen it."""
        for session, slot in self._live[id].previews_due():
            self._messenger.preview(session, slot.body, slot.buffer)

    def ended(self, job: JobRow) -> None:
        """Tell the end of a job as its row has it."""
        live = self._live.pop(job.id, None)
        if live is not None:
            error = None if job.error is None else dict(job.error)
            self._send(live, Event(job.id, live.next_seq(), job.state, error=error))
        self._messenger.ended(job.id)

    def _send(self, live: LiveJob, event: Event) -> None:
        for session in tuple(live.watchers):
            self._messenger.event(session, event)
