"""The GPU left to a render of Blender's: said to the daemon, and said again while it goes on.

No bpy. What holds the daemon is a lease of seconds, renewed by a thread: a Blender that crashes, or
has no time for its threads, stops nobody for longer.
"""

from __future__ import annotations

import contextlib
import threading
from functools import partial

from underpaint.client import Client
from underpaint.errors import UnderpaintError

from ..link.session import Session

LEASE_S = 20
_AGAIN_S = 5.0
WHY = "Blender renders"


class Leaving:
    """`begin` and `end` from any thread: Blender renders in one of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._over: threading.Event | None = None

    @property
    def now(self) -> bool:
        """Whether a render has the GPU."""
        return self._over is not None

    def begin(self) -> None:
        """A render begins. Nothing happens where no daemon is connected: it has nothing to do."""
        if self._over is not None or not self._session.reachable:
            return
        self._over = threading.Event()
        with contextlib.suppress(UnderpaintError):
            self._session.ask(partial(_hold, self._over), _nothing, _nothing)

    def end(self) -> None:
        """The render is over, or was cancelled."""
        over, self._over = self._over, None
        if over is not None:
            over.set()


def _hold(over: threading.Event, up: Client) -> None:
    while not over.is_set():
        with contextlib.suppress(UnderpaintError):
            up.queue.yield_gpu(LEASE_S, WHY)
        over.wait(_AGAIN_S)
    up.queue.yield_gpu(0)


def _nothing(_: object) -> None:
    """Whether the daemon heard it shows in its queue."""
