"""How a client stands with the daemon, and who hears of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from .outstanding import Reply


class ClientState(StrEnum):
    """How the client stands with the daemon; what a user interface shows."""

    ABSENT = "absent"
    STARTING = "starting"
    HANDSHAKING = "handshaking"
    READY = "ready"
    DEGRADED = "degraded"
    LOST = "lost"
    CLOSED = "closed"

    @property
    def reachable(self) -> bool:
        return self in (ClientState.READY, ClientState.DEGRADED)


class Listener(Protocol):
    """Who hears what the daemon says unasked. Called in the I/O thread; must not block."""

    def connected(self) -> None:
        """A daemon said hello: perhaps another one, so watches must be asked for anew."""

    def received(self, reply: Reply) -> None:
        """An event or a preview arrived."""

    def needs_daemon(self) -> bool:
        """Whether work waits that is worth starting a crashed daemon again for."""
