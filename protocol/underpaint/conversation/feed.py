"""One job's events on their way from the I/O thread to whoever listens.

The feed applies snapshots and numbered events (the zguide's Clone pattern: drop what is not above
the last number), and keeps a short inbox: newer progress and previews replace waiting ones, so a
listener that never looks costs nothing.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace

from ..errors import ErrorCode, JobFailed, UnderpaintError, error_from_dict
from ..events import Done, Failed, JobEvent, Preview, Progress, StateChanged, Warning_
from ..wire.envelope import Buffer
from ..wire.messages import Event, JobInfo, JobState, ProgressInfo
from ..wire.messages import Preview as PreviewSaid
from .outstanding import Reply


class Feed:
    """Thread-safe; filled by the I/O thread, emptied by any."""

    def __init__(self, job: str) -> None:
        self.job = job
        self._changed = threading.Condition()
        self._inbox: list[JobEvent] = []
        self._info: JobInfo | None = None
        self._early: list[Event] = []
        self._ended = False
        self._failure: UnderpaintError | None = None

    @property
    def info(self) -> JobInfo | None:
        """The last that is known of the job; None before the daemon has spoken of it."""
        with self._changed:
            return self._info

    @property
    def ended(self) -> bool:
        """Whether Done or Failed has been delivered to the inbox."""
        with self._changed:
            return self._ended

    @property
    def failure(self) -> UnderpaintError | None:
        """Why the job ended without results, if it did."""
        with self._changed:
            return self._failure

    def wait_ended(self, timeout: float) -> bool:
        """Wait for the end, leaving the inbox as it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ended, timeout)

    def apply_snapshot(self, info: JobInfo) -> None:
        """Take in the daemon's word on the job: events for whatever changed since the last."""
        with self._changed:
            old = self._info
            if old is not None and (old.state.terminal or old.seq > info.seq):
                return
            self._info = info
            for text in info.warnings[len(old.warnings) if old else 0 :]:
                self._put(Warning_(self.job, text))
            if old is None or old.state is not info.state:
                self._put_state(info)
            if info.progress and not info.state.terminal:
                self._put_progress(info.progress)
            early, self._early = self._early, []
            for event in early:
                self.apply_event(event)

    def apply_event(self, event: Event) -> None:
        """Take in one numbered event; old ones are dropped, those before a snapshot wait for it."""
        with self._changed:
            old = self._info
            if old is None:
                self._early.append(event)
                return
            if event.seq <= old.seq or old.state.terminal:
                return
            self._info = replace(
                old,
                seq=event.seq,
                state=event.state or old.state,
                progress=event.progress or old.progress,
                warnings=old.warnings + ((event.warning,) if event.warning else ()),
                error=event.error or old.error,
            )
            if event.warning:
                self._put(Warning_(self.job, event.warning))
            if event.progress:
                self._put_progress(event.progress)
            if event.state and event.state is not old.state:
                self._put_state(self._info)

    def received(self, reply: Reply) -> None:
        """Take in what the daemon said of this job: an event or a preview."""
        body = reply.body
        if isinstance(body, Event):
            self.apply_event(body)
        elif isinstance(body, PreviewSaid) and _is_picture(reply.buffers):
            image = reply.buffers[0].array()
            self.apply_preview(Preview(body.job, body.step, body.total, image, body.index))

    def apply_preview(self, preview: Preview) -> None:
        """Take in a preview; it replaces one that still waits."""
        with self._changed:
            if not self._ended:
                self._put(preview)

    def fail_with(self, future: Future[None]) -> None:
        """End the feed if what was to submit its job failed."""
        if isinstance(error := future.exception(), UnderpaintError):
            self.fail(error)

    def fail(self, error: UnderpaintError) -> None:
        """End the feed: the daemon does not have this job, or never got it."""
        with self._changed:
            self._end(Failed(self.job, error))

    def take(self, wait: float = 0.0) -> list[JobEvent]:
        """The waiting events; blocks up to `wait` seconds when there are none yet."""
        with self._changed:
            if not self._inbox and wait > 0:
                self._changed.wait(wait)
            taken, self._inbox = self._inbox, []
            return taken

    def _put_state(self, info: JobInfo) -> None:
        if info.state is JobState.DONE:
            self._end(Done(self.job))
        elif info.state.terminal:
            self._end(Failed(self.job, end_error(info)))
        else:
            self._put(StateChanged(self.job, info.state))

    def _put_progress(self, p: ProgressInfo) -> None:
        self._put(Progress(self.job, p.phase, p.step, p.total, p.eta_s))

    def _end(self, event: Done | Failed) -> None:
        if not self._ended:
            self._ended = True
            self._failure = event.error if isinstance(event, Failed) else None
            self._put(event)

    def _put(self, event: JobEvent) -> None:
        self._inbox = [e for e in self._inbox if not _replaces(event, e)]
        self._inbox.append(event)
        self._changed.notify_all()


def _is_picture(buffers: tuple[Buffer, ...]) -> bool:
    return bool(buffers) and buffers[0].info.dtype == "uint8"


def _replaces(new: JobEvent, old: JobEvent) -> bool:
    # The last progress of an earlier phase stays: it says that the phase was finished.
    if isinstance(new, Progress):
        return isinstance(old, Progress) and old.phase == new.phase
    return isinstance(new, Preview) and isinstance(old, Preview)


def end_error(info: JobInfo) -> UnderpaintError:
    """Why a job that ended without results did so."""
    if info.state is JobState.CANCELLED:
        return JobFailed(ErrorCode.CANCELLED, "the job was cancelled")
    if info.error:
        return error_from_dict(info.error)
    return JobFailed(ErrorCode.INTERNAL, "the job failed, and the daemon does not say why")
