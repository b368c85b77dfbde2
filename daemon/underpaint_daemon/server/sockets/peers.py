"""Brings events and previews to whoever is connected."""

from __future__ import annotations

from underpaint.wire.envelope import Buffer
from underpaint.wire.message_types import message
from underpaint.wire.messages import Event, Preview

from ..thread_messages import Ended, Send, ToData
from .mailbox import Mailbox
from .outbox import Outbox
from .sessions import Sessions


class Peers:
    """The engine's messenger: finds the peers of a session on both sockets."""

    def __init__(self, outbox: Outbox, data: Mailbox[ToData]) -> None:
        self.outbox = outbox
        self.sessions = Sessions()
        self._data = data
        self.ended_jobs = 0

    def event(self, session: str, event: Event) -> None:
        entry = self.sessions.get(session)
        if entry is not None and entry.control is not None:
            droppable = event.progress is not None
            self.outbox.send(entry.control, message(event), droppable=droppable)

    def preview(self, session: str, preview: Preview, buffer: Buffer) -> None:
        entry = self.sessions.get(session)
        if entry is not None and entry.data is not None:
            self._data.put(Send(entry.data, message(preview, buffers=(buffer,))))

    def ended(self, job: str) -> None:
        self.ended_jobs += 1
        self._data.put(Ended(job))
