"""The GPU left to somebody else for a while: a render, another program.

Who wants it takes a lease and renews it. A lease ends by itself, so that whoever dies with one
stops nobody for longer.
"""

from __future__ import annotations

from dataclasses import dataclass

from underpaint.wire.gallery import MAX_ORIGIN


@dataclass(frozen=True, slots=True)
class _Lease:
    until: float
    why: str


class Yielded:
    """Leases by session; `now` is monotonic, in seconds."""

    def __init__(self) -> None:
        self._leases: dict[str, _Lease] = {}

    def take(self, session: str, seconds: int, why: str, now: float) -> None:
        """Yield to a session for so long from now; 0: no longer."""
        if seconds:
            self._leases[session] = _Lease(now + seconds, why[:MAX_ORIGIN])
        else:
            self._leases.pop(session, None)

    def forget(self, session: str) -> None:
        """A session is gone."""
        self._leases.pop(session, None)

    def why(self, now: float) -> str | None:
        """Why nothing goes on, of the lease that ends last; None: all may go on."""
        self._leases = {key: one for key, one in self._leases.items() if one.until > now}
        leases = sorted(self._leases.values(), key=lambda one: one.until)
        return leases[-1].why if leases else None
