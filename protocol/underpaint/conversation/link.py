"""The two sockets of one connection to one daemon, with what waits to be sent on them.

Owned by one thread. Nothing here blocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import zmq
from zmq.utils.monitor import recv_monitor_message

from ..errors import ConnectionLost, ErrorCode, ProtocolError, UnderpaintError
from ..wire.connection import Connection
from ..wire.envelope import Bytes, Envelope
from ..wire.message_types import Channel
from ..wire.security import client_socket, receive, send_frames

_REFUSED = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
_GONE = zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED
_RECEIVE_AT_MOST = 64


class Link:
    """`control` and `data` of one daemon; closed when either breaks."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], connection: Connection) -> None:
        self.connection = connection
        self._sockets = {c: client_socket(context, c, connection) for c in Channel}
        self._monitors = [s.get_monitor_socket(_REFUSED | _GONE) for s in self._sockets.values()]
        self._outboxes: dict[Channel, deque[list[Bytes]]] = {c: deque() for c in Channel}

    def send(self, channel: Channel, frames: list[Bytes]) -> None:
        """Queue a message; it goes out, in order, as soon as the socket takes it."""
        self._outboxes[channel].append(frames)
        self._flush(channel)

    def flush(self) -> None:
        """Send what the sockets take now."""
        for channel in Channel:
            self._flush(channel)

    def register(self, poller: zmq.Poller) -> None:
        """Let a poller wait for whatever this link can act on."""
        for channel, socket in self._sockets.items():
            out = zmq.POLLOUT if self._outboxes[channel] else 0
            poller.register(socket, zmq.POLLIN | out)
        for monitor in self._monitors:
            poller.register(monitor, zmq.POLLIN)

    def receive(self) -> Iterator[Envelope]:
        """Messages that have arrived, control first. What is malformed is dropped."""
        for channel in Channel:
            for _ in range(_RECEIVE_AT_MOST):
                try:
                    yield receive(self._sockets[channel])
                except zmq.Again:
                    break
                except ProtocolError:
                    continue

    def broken(self) -> UnderpaintError | None:
        """Why the link is no longer of use, if so."""
        for monitor in self._monitors:
            if monitor.poll(0):
                event = recv_monitor_message(monitor, zmq.NOBLOCK)["event"]
                if event & _REFUSED:
                    return ConnectionLost(
                        ErrorCode.NOT_AUTHORISED, "the daemon does not accept this client's keys"
                    )
                return ConnectionLost(ErrorCode.DAEMON_LOST, "the daemon closed the connection")
        return None

    def close(self, linger_ms: int = 0) -> None:
        """Drop everything; what the sockets have taken may still leave for `linger_ms`."""
        for socket in self._sockets.values():
            socket.disable_monitor()
            socket.close(linger_ms)
        for monitor in self._monitors:
            monitor.close(0)

    def _flush(self, channel: Channel) -> None:
        outbox = self._outboxes[channel]
        while outbox:
            try:
                send_frames(self._sockets[channel], outbox[0])
            except zmq.Again:
                return
            outbox.popleft()
