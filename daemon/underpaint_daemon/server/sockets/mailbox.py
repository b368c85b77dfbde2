"""Messages between the daemon's threads, in a form that a zmq.Poller can wait for."""

from __future__ import annotations

import contextlib
import queue
import socket
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """A queue that any thread may fill and one thread empties when `wake` becomes readable."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[T] = queue.SimpleQueue()
        # A socket pair and not a pipe: Windows can poll nothing else.
        self.wake, self._bell = socket.socketpair()
        self.wake.setblocking(False)
        self._bell.setblocking(False)

    def put(self, item: T) -> None:
        self._items.put(item)
        # A full socket means that the reader has been woken already.
        with contextlib.suppress(BlockingIOError, OSError):
            self._bell.send(b"\0")

    def drain(self) -> list[T]:
        """Everything that waits, oldest first; never blocks."""
        with contextlib.suppress(BlockingIOError):
            while self.wake.recv(4096):
                pass
        items: list[T] = []
        with contextlib.suppress(queue.Empty):
            while True:
                items.append(self._items.get_nowait())
        return items

    def close(self) -> None:
        self.wake.close()
        self._bell.close()
