"""Asking the daemon and waiting for the answer, through a restart of the daemon if need be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from ..errors import ConnectionLost, ErrorCode, JobFailed
from ..wire.envelope import Buffer
from ..wire.message_types import Channel
from ..wire.messages import Body
from .outstanding import Reply
from .session import Session

ANSWER_S = 15.0
START_S = 90.0
SLOWEST_BYTES_S = 5_000_000
_ATTEMPTS = 3
_WENT_AWAY = (ErrorCode.DAEMON_LOST, ErrorCode.DAEMON_ABSENT)
T = TypeVar("T")
B = TypeVar("B", bound=Body)


def expect(kind: type[B], reply: Reply) -> B:
    """The reply's body, if it is of the kind that the request calls for."""
    if not isinstance(reply.body, kind):
        got = type(reply.body).__name__
        raise JobFailed(ErrorCode.INTERNAL, f"the daemon answered {got}, not {kind.__name__}")
    return reply.body


def raise_refusal(futures: Iterable[Future[Reply]]) -> None:
    """Raise the first error among answers that have come."""
    for future in futures:
        if future.done() and (error := future.exception()):
            raise error


class Exchange:
    """Requests with their replies, over one session. Blocks; for any thread but the session's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask(
        self, kind: type[B], body: Body, timeout: float | None = None, *, start: bool = True
    ) -> B:
        """Ask on `control`. `start`: start the daemon if it is not there and the client may."""

        def attempt() -> B:
            return expect(kind, self.once(Channel.CONTROL, body, (), timeout))

        return self.persist(attempt, timeout, start=start)

    @property
    def shared_folder(self) -> Path | None:
        """See `shared`."""
        return self._session.shared_folder

    def post(self, channel: Channel, body: Body, buffers: tuple[Buffer, ...] = ()) -> Future[Reply]:
        """Ask, without waiting."""
        return self._session.post(channel, body, buffers)

    def once(
        self,
        channel: Channel,
        body: Body,
        buffers: tuple[Buffer, ...] = (),
        timeout: float | None = None,
    ) -> Reply:
        """Ask once. Raises what the daemon answers, or ConnectionLost."""
        if timeout is None:
            timeout = ANSWER_S + sum(b.info.nbytes for b in buffers) / SLOWEST_BYTES_S
        future = self._session.post(channel, body, buffers)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise ConnectionLost(
                ErrorCode.TIMEOUT, f"the daemon did not answer within {timeout:g} s"
            ) from None

    def persist(
        self, attempt: Callable[[], T], timeout: float | None = None, *, start: bool = True
    ) -> T:
        """Carry out what may be said twice; again when the daemon went away meanwhile."""
        for _ in range(_ATTEMPTS - 1):
            self.make_reachable(timeout, start=start)
            try:
                return attempt()
            except ConnectionLost as error:
                if not start or error.code not in _WENT_AWAY:
                    raise
        self.make_reachable(timeout, start=start)
        return attempt()

    def make_reachable(self, timeout: float | None = None, *, start: bool = True) -> None:
        """Wait for the daemon, started if allowed. Raises why there is none."""
        if self._session.state.reachable:
            return
        if start:
            self._session.want_daemon()
        if not self._session.wait_ready(START_S if timeout is None else timeout):
            raise self._session.why
