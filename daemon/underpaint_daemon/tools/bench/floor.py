"""What the way costs at least: the same bytes over bare pyzmq with CURVE, to a second process.

Run as a program it is the far side: it prints its endpoint and key, then answers each message
with the last of its frames.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import zmq

from underpaint.buffers import Array
from underpaint.errors import ConnectionLost, ErrorCode, JobFailed

_ANSWER_MS = 20_000
_COPY, _NO_COPY = b"copy", b"no copy"


class Floor:
    """A DEALER connected to the far side."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket

    def round_trip(self, arrays: Sequence[Array], *, copy: bool) -> float:
        """Seconds from sending the arrays to having the last of them back.

        `copy`: pyzmq's own default, which gives both sides bytes of their own; False hands
        libzmq's memory through. Raises ConnectionLost.
        """
        began = time.perf_counter()
        frames: list[bytes | memoryview] = [_COPY if copy else _NO_COPY]
        frames += [array.data for array in arrays]
        self._socket.send_multipart(frames, copy=copy)
        if not self._socket.poll(_ANSWER_MS):
            raise ConnectionLost(ErrorCode.TIMEOUT, "the bare loopback does not answer")
        answer = self._socket.recv() if copy else self._socket.recv(copy=False).buffer
        took = time.perf_counter() - began
        if len(answer) != arrays[-1].nbytes:
            raise JobFailed(ErrorCode.INTERNAL, "the bare loopback answered something else")
        return took


@contextmanager
def bare_loopback() -> Iterator[Floor]:
    """Start the far side and connect to it."""
    command = [sys.executable, "-m", "underpaint_daemon.tools.bench.floor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as far, zmq.Context() as ctx:
        try:
            if far.stdout is None:
                raise JobFailed(ErrorCode.INTERNAL, "the bare loopback has no output")
            endpoint, key = far.stdout.readline().split()
            public, secret = zmq.curve_keypair()
            socket: zmq.Socket[bytes] = ctx.socket(zmq.DEALER)
            with socket:
                socket.setsockopt(zmq.LINGER, 0)
                socket.setsockopt(zmq.CURVE_SERVERKEY, key.encode())
                socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
                socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
                socket.connect(endpoint)
                yield Floor(socket)
        finally:
            far.kill()


def _far_side() -> None:
    public, secret = zmq.curve_keypair()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.ROUTER)
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    print(f"tcp://127.0.0.1:{port}", public.decode(), flush=True)
    while True:
        identity, copy = socket.recv(), socket.recv() == _COPY
        last: Any = b""
        while socket.getsockopt(zmq.RCVMORE):
            last = socket.recv(copy=copy)
        socket.send_multipart([identity, last], copy=copy)


if __name__ == "__main__":
    _far_side()
