"""Requests between a caller that waits and the I/O thread that sends and receives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from ..errors import UnderpaintError, error_from_dict
from ..wire.envelope import Buffer, Bytes
from ..wire.message_types import Channel
from ..wire.messages import Body, Error


@dataclass(frozen=True, slots=True)
class Reply:
    """A daemon's message, typed."""

    body: Body
    buffers: tuple[Buffer, ...] = ()


@dataclass(slots=True)
class Asked:
    """One encoded message; `answered` False when the daemon sends no reply to it."""

    id: str
    channel: Channel
    frames: list[Bytes]
    answered: bool = True
    future: Future[Reply] = field(default_factory=Future)
    sent: bool = False

    def settle(self, outcome: Reply | UnderpaintError) -> None:
        """Give the caller its reply or error, if it still waits."""
        if not self.future.set_running_or_notify_cancel():
            return
        if isinstance(outcome, UnderpaintError):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Outstanding:
    """`put` from any thread; everything else from the I/O thread."""

    def __init__(self) -> None:
        self._posted: SimpleQueue[Asked] = SimpleQueue()
        self._asked: dict[str, Asked] = {}

    def put(self, asked: Asked) -> None:
        self._posted.put(asked)

    def unsent(self) -> Iterator[Asked]:
        """What is to be sent now, in order; each is then counted as sent."""
        self._collect()
        for asked in [a for a in self._asked.values() if not a.sent]:
            if asked.future.cancelled() or not asked.answered:
                del self._asked[asked.id]
            if not asked.future.cancelled():
                asked.sent = True
                yield asked

    def settle(self, id_: str | None, body: Body, buffers: tuple[Buffer, ...]) -> bool:
        """Hand a reply to its asker. False when nobody asked."""
        asked = self._asked.pop(id_, None) if id_ is not None else None
        if asked is None:
            return False
        asked.settle(
            error_from_dict(body.error) if isinstance(body, Error) else Reply(body, buffers)
        )
        return True

    def fail(self, error: UnderpaintError, *, only_sent: bool) -> None:
        """Fail what waits. `only_sent` keeps what the next daemon can still answer."""
        self._collect()
        for asked in list(self._asked.values()):
            if asked.sent or not only_sent:
                del self._asked[asked.id]
                asked.settle(error)

    def _collect(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                asked = self._posted.get_nowait()
                self._asked[asked.id] = asked
