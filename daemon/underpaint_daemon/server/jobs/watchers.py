"""Telling the watchers of a job what happens to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from underpaint.wire.envelope import Buffer
from underpaint.wire.messages import Event, JobState, Preview, ProgressInfo

from .live_job import Track


class Audience(Protocol):
    """Whoever brings events and previews to the sessions; never waits for one."""

    def event(self, session: str, event: Event) -> None: ...

    def preview(self, session: str, preview: Preview, buffer: Buffer) -> None: ...

    def ended(self, job: str) -> None:
        """The job is over, for whoever keeps its buffers."""


def tell(
    audience: Audience,
    id: str,
    track: Track,
    *,
    state: JobState | None = None,
    progress: ProgressInfo | None = None,
    warning: str | None = None,
    error: Mapping[str, Any] | None = None,
) -> None:
    """Number an event and send it to everybody who watches the job."""
    plain = None if error is None else dict(error)
    event = Event(id, track.next_seq(), state, progress, warning, plain)
    for session in tuple(track.watchers):
        audience.event(session, event)


def send_previews(audience: Audience, track: Track) -> None:
    """Send the newest preview to everybody who has credit and has not seen it."""
    for session, slot in track.previews_due():
        audience.preview(session, slot.body, slot.buffer)
