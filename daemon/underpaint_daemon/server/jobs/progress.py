"""Progress as clients see it: at most ten a second, with the time to the end of its phase."""

from __future__ import annotations

from collections import deque

from underpaint.wire import limits
from underpaint.wire.messages import ProgressInfo

_STEPS_REMEMBERED = 8


class Eta:
    """Seconds to the end of the present phase, from the mean of its last steps.

    Uses a monotonic clock that the caller passes in; never negative.
    """

    def __init__(self) -> None:
        self._phase = ""
        self._seen: deque[tuple[int, float]] = deque(maxlen=_STEPS_REMEMBERED + 1)

    def update(self, phase: str, step: int, total: int, now: float) -> float | None:
        """Take in a step; None until two steps of the phase were seen."""
        if phase != self._phase or (self._seen and step < self._seen[-1][0]):
            self._phase = phase
            self._seen.clear()
        self._seen.append((step, now))
        (first, since), (last, until) = self._seen[0], self._seen[-1]
        if last == first:
            return None
        return max(0.0, (total - last) * (until - since) / (last - first))


class Throttle:
    """Lets through at most `PROGRESS_HZ` a second, but always a new phase and a last step; the
    newest that was held back comes out of `due`."""

    def __init__(self) -> None:
        self._sent_at = float("-inf")
        self._phase = ""
        self._held: ProgressInfo | None = None

    def offer(self, info: ProgressInfo, now: float) -> ProgressInfo | None:
        """The progress to send now, or None: it is held back."""
        urgent = info.phase != self._phase or info.step == info.total
        self._held = info
        return self._release(now) if urgent else self.due(now)

    def due(self, now: float) -> ProgressInfo | None:
        """What was held back and may go now."""
        if self._held is None or now - self._sent_at < 1.0 / limits.PROGRESS_HZ:
            return None
        return self._release(now)

    def _release(self, now: float) -> ProgressInfo | None:
        info, self._held = self._held, None
        if info is not None:
            self._sent_at, self._phase = now, info.phase
        return info
