"""What wakes a thread that waits for sockets."""

from __future__ import annotations

import contextlib
import socket

import zmq


class Waker:
    """`wake` from any thread; the rest in the thread that polls."""

    def __init__(self) -> None:
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)

    def wake(self) -> None:
        """End the wait."""
        # A full pipe wakes the thread just as well, and a closed one needs no waking.
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def register(self, poller: zmq.Poller) -> None:
        """Have the poller wake for it."""
        poller.register(self._woken, zmq.POLLIN)

    def clear(self) -> None:
        """Take in what woke."""
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass

    def close(self) -> None:
        self._woken.close()
        self._waker.close()
