"""A client that says what it likes, byte for byte, as a program of somebody else may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgpack
import zmq

from underpaint.errors import UnderpaintError, error_from_dict
from underpaint.wire import limits, message_types
from underpaint.wire import messages as m
from underpaint.wire.connection import read_connection
from underpaint.wire.envelope import Bytes, Envelope, new_id
from underpaint.wire.message_types import Channel
from underpaint.wire.security import client_socket, receive, send, send_frames


class Raw:
    """One socket of its own."""

    def __init__(self, daemon: Any, channel: Channel) -> None:
        self._context = zmq.Context()
        connection = read_connection(daemon.paths.connection_file)
        self.socket = client_socket(self._context, channel, connection)

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_error: object) -> None:
        self._context.destroy(linger=0)

    def hello(self) -> None:
        assert isinstance(self.ask(m.Hello(new_id(), "test", "0")), m.HelloOk)

    def ask(self, body: m.Body, buffers: Any = ()) -> m.Body:
        assert self.socket.poll(2000, zmq.POLLOUT)
        send(self.socket, message_types.message(body, buffers=buffers))
        return message_types.parse(self.answer())

    def ask_frames(self, frames: Sequence[Bytes]) -> m.Body:
        assert self.socket.poll(2000, zmq.POLLOUT)
        send_frames(self.socket, frames)
        return message_types.parse(self.answer())

    def say(self, kind: str, body: Any, id: str) -> None:
        """Anything that msgpack can write."""
        header = msgpack.packb({"t": kind, "id": id, "b": body}, use_bin_type=True)
        assert self.socket.poll(2000, zmq.POLLOUT)
        send_frames(self.socket, [limits.MAGIC, header])

    def answer(self, wait_ms: int = 2000) -> Envelope:
        assert self.socket.poll(wait_ms, zmq.POLLIN), "no answer"
        return receive(self.socket)


def refused(body: m.Body) -> UnderpaintError:
    """The error that a body is, whole."""
    assert isinstance(body, m.Error), body
    error = error_from_dict(body.error)
    assert error.hint
    assert error.message
    return error
