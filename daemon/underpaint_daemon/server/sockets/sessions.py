"""Who is connected: one session has a peer on each socket."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from underpaint.wire import limits
from underpaint.wire.messages import Hello

MAX_SESSIONS = 512


@dataclass(slots=True)
class Session:
    """The peers of one client, as the two ROUTERs know them; `minor`: the version it speaks."""

    control: bytes | None = None
    data: bytes | None = None
    minor: int = limits.MINOR


class Sessions:
    """Sessions by id and by control peer. A ROUTER is not told when a peer leaves, so the number
    is bounded and the one heard of longest ago makes room."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._of_control: dict[bytes, str] = {}

    def greet_control(self, hello: Hello, identity: bytes) -> None:
        """A hello on `control`: replaces the peer that this session had."""
        session = hello.session
        entry = self._touch(session)
        entry.minor = hello.minor
        if entry.control is not None:
            self._of_control.pop(entry.control, None)
        entry.control = identity
        self._of_control[identity] = session

    def greet_data(self, session: str, identity: bytes) -> None:
        """A hello on `data`."""
        self._touch(session).data = identity

    def of_control(self, identity: bytes) -> str | None:
        """The session of a control peer, or None: it has not said hello."""
        session = self._of_control.get(identity)
        if session is not None:
            self._sessions.move_to_end(session)
        return session

    def minor_of(self, identity: bytes) -> int:
        """The minor version that a control peer said it speaks; ours before its hello."""
        entry = self._sessions.get(self._of_control.get(identity, ""))
        return limits.MINOR if entry is None else entry.minor

    def get(self, session: str) -> Session | None:
        return self._sessions.get(session)

    def drop_control(self, identity: bytes) -> str | None:
        """Forget the session of a control peer that is gone; returns its id."""
        session = self._of_control.pop(identity, None)
        if session is not None:
            self._sessions.pop(session, None)
        return session

    def _touch(self, session: str) -> Session:
        entry = self._sessions.setdefault(session, Session())
        self._sessions.move_to_end(session)
        while len(self._sessions) > MAX_SESSIONS:
            _, oldest = self._sessions.popitem(last=False)
            if oldest.control is not None:
                self._of_control.pop(oldest.control, None)
        return entry
