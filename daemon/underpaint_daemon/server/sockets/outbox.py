"""Sends on a ROUTER without ever waiting for a peer."""

from __future__ import annotations

import logging
from collections import deque

import zmq

from underpaint.errors import ProtocolError
from underpaint.wire.envelope import Envelope
from underpaint.wire.message_types import error_message
from underpaint.wire.security import send

log = logging.getLogger("outbox")
MAX_WAITING = 256


class Outbox:
    """Messages for peers whose queue is full wait here, in order, and a peer that lets too many
    wait is given up: it must say hello again."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket
        self._waiting: dict[bytes, deque[Envelope]] = {}
        self._lost: set[bytes] = set()

    @property
    def waiting(self) -> bool:
        return bool(self._waiting)

    def send(self, identity: bytes, envelope: Envelope, *, droppable: bool = False) -> None:
        """Send or keep for later; what is `droppable` is left out when the peer is behind."""
        queue = self._waiting.get(identity)
        if queue is None and self._try(identity, envelope):
            return
        if identity in self._lost or droppable:
            return
        queue = self._waiting.setdefault(identity, deque())
        queue.append(envelope)
        if len(queue) > MAX_WAITING:
            log.warning("a client does not take its messages; it is given up")
            self._forget(identity)

    def retry(self) -> None:
        """Send what waits, as far as the peers take it."""
        for identity in list(self._waiting):
            queue = self._waiting[identity]
            while queue and self._try(identity, queue[0]):
                if identity not in self._waiting:
                    break
                queue.popleft()
            if not queue:
                self._waiting.pop(identity, None)

    def lost(self) -> frozenset[bytes]:
        """Peers found gone since the last call."""
        lost, self._lost = frozenset(self._lost), set()
        return lost

    def _try(self, identity: bytes, envelope: Envelope) -> bool:
        """Whether the message is off our hands."""
        try:
            send(self._socket, envelope, identity)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._forget(identity)
        except ProtocolError as error:
            # An answer too large for the wire: the asker is told so instead.
            log.warning("%s cannot be sent: %s", envelope.type, error.message)
            if envelope.type != "error":
                return self._try(identity, error_message(error, envelope.re))
        return True

    def _forget(self, identity: bytes) -> None:
        self._waiting.pop(identity, None)
        self._lost.add(identity)
