"""How one client stands with the daemon now, why, and since when; and waiting for it to change."""

from __future__ import annotations

import threading
import time

from ..errors import ConnectionLost, ErrorCode, UnderpaintError
from .state import ClientState


class Standing:
    """Written by the I/O thread, read by any. hopeless: nothing will change by itself."""

    def __init__(self) -> None:
        self.state = ClientState.ABSENT
        self.why: UnderpaintError = absent()
        self.hopeless = False
        self._condition = threading.Condition()
        self._since = time.monotonic()

    @property
    def unreachable_for(self) -> float:
        """Seconds since the daemon was last reachable; 0 while it is."""
        with self._condition:
            return 0.0 if self.state.reachable else time.monotonic() - self._since

    def wait_reachable(self, timeout: float) -> bool:
        """Wait until the daemon can be talked to. False when it cannot, see `why`."""
        with self._condition:
            self._condition.wait_for(lambda: self.state.reachable or self.hopeless, timeout)
            return self.state.reachable

    def hope(self) -> bool:
        """The daemon may come: it is started. False when this client is closed, whose state is
        its last."""
        with self._condition:
            if self.state is ClientState.CLOSED:
                return False
            self.why, self.hopeless = absent(), False
            return True

    def change(self, state: ClientState, *, hopeless: bool = False) -> None:
        """Take a new state, and wake who waits."""
        if state is self.state and hopeless == self.hopeless:
            return
        with self._condition:
            if self.state.reachable and not state.reachable:
                self._since = time.monotonic()
            self.state, self.hopeless = state, hopeless
            self._condition.notify_all()


def absent() -> UnderpaintError:
    """There is no daemon."""
    return ConnectionLost(ErrorCode.DAEMON_ABSENT, "no daemon is running")


def closed() -> UnderpaintError:
    """This side has ended the conversation."""
    return ConnectionLost(
        ErrorCode.DAEMON_LOST, "this client is closed", hint="Connect again: underpaint.connect()."
    )


def silent(what: str) -> UnderpaintError:
    """The daemon says nothing, or no sense."""
    return ConnectionLost(ErrorCode.DAEMON_LOST, what)
