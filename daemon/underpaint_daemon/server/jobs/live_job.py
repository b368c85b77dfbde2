"""What is known of an unfinished job beside its row: progress, preview, who watches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from underpaint.buffers import BufferRef, Kind, digest
from underpaint.errors import UnderpaintError
from underpaint.wire.envelope import Buffer, array_buffer
from underpaint.wire.messages import JobInfo, JobState, Preview, ProgressInfo
from underpaint_daemon.common.pipe import Message

from .progress import Eta, Throttle
from .rows import JobRow

MAX_CREDIT = 16
_LIVES = 32
"""Bits that one life of the daemon has for its events' numbers."""


def first_seq(starts: int) -> int:
    """Event numbers go up across restarts: each life counts in a range of its own."""
    return starts << _LIVES


def last_seq(starts: int) -> int:
    """The number that jobs without further events show."""
    return ((starts + 1) << _LIVES) - 1


@dataclass(frozen=True, slots=True)
class Slot:
    """The newest preview of a job."""

    number: int
    body: Preview
    buffer: Buffer


@dataclass(slots=True)
class LiveJob:
    """The live side of one unfinished job.

    `kill_at`: monotonic time when a hard cancel kills. `unverified`: its buffers are still being
    hashed, and `outcome` is the worker's last word, held back until then. `refused`: they were
    not what they should be.
    """

    seq: int
    progress: ProgressInfo | None = None
    warnings: list[str] = field(default_factory=list)
    watchers: set[str] = field(default_factory=set)
    credits: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    slot: Slot | None = None
    cancel_asked: bool = False
    unverified: bool = False
    refused: UnderpaintError | None = None
    outcome: Message | None = None
    kill_at: float | None = None
    eta: Eta = field(default_factory=Eta)
    throttle: Throttle = field(default_factory=Throttle)

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def take_progress(self, message: Message, now: float) -> ProgressInfo | None:
        """Note a worker's progress; returns what to tell the watchers now."""
        phase, step, total = message["phase"], message["step"], message["total"]
        eta = self.eta.update(phase, step, total, now)
        rounded = None if eta is None else round(eta, 2)
        return self.tell_now(ProgressInfo(phase, step, total, rounded), now)

    def tell_now(self, progress: ProgressInfo, now: float) -> ProgressInfo | None:
        """Note progress; returns what to tell the watchers now."""
        self.progress = progress
        return self.throttle.offer(progress, now)

    def take_preview(self, message: Message) -> None:
        """Keep a worker's preview, instead of the one before."""
        image = np.frombuffer(message["data"], np.uint8).reshape(message["shape"])
        ref = BufferRef(digest(image), Kind.COLOR, "uint8", tuple(image.shape))
        number = 1 if self.slot is None else self.slot.number + 1
        body = Preview(message["job"], message["step"], message["total"], message["index"])
        self.slot = Slot(number, body, array_buffer(ref, image))

    def give_credit(self, session: str, n: int) -> None:
        self.credits[session] = min(MAX_CREDIT, self.credits.get(session, 0) + n)

    def previews_due(self) -> list[tuple[str, Slot]]:
        """Who is to get the newest preview now: has credit and has not seen it. Uses the credit
        up."""
        if self.slot is None:
            return []
        due = [
            session
            for session, credit in self.credits.items()
            if credit > 0 and self.seen.get(session, 0) < self.slot.number
        ]
        for session in due:
            self.credits[session] -= 1
            self.seen[session] = self.slot.number
        return [(session, self.slot) for session in due]

    @property
    def wants_preview(self) -> bool:
        return any(credit > 0 for credit in self.credits.values())

    def forget(self, session: str) -> None:
        self.watchers.discard(session)
        self.credits.pop(session, None)
        self.seen.pop(session, None)


def describe(job: JobRow, live: LiveJob | None, seq: int, position: int | None) -> JobInfo:
    """A job as clients see it; `seq` is used when it has ended."""
    info = JobInfo(
        job=job.id,
        kind=job.kind,
        state=job.state,
        seq=seq if live is None else live.seq,
        created=job.created,
        updated=job.updated,
        title=job.title,
        position=position,
        warnings=job.warnings,
        error=None if job.error is None else dict(job.error),
        paused=True if job.paused and job.state is JobState.QUEUED else None,
    )
    return info if live is None else replace(info, progress=live.progress)
