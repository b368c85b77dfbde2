"""Writes to the job table that a full disk may put off."""

from __future__ import annotations

import logging
from collections.abc import Callable

from underpaint.errors import RequestError

log = logging.getLogger("engine")
_RETRY_SECONDS = 1.0


class Commits:
    """What could not be written yet, and when to try again."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], object]] = []
        self._retry_at = 0.0

    @property
    def waiting(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._waiting)

    def held(self, now: float) -> bool:
        """Whether nothing new should begin: the disk is full, or was a moment ago."""
        return self.waiting or now < self._retry_at

    def hold(self, now: float) -> None:
        """Let nothing new begin for a moment."""
        self._retry_at = now + _RETRY_SECONDS

    def write(self, commit: Callable[[], object]) -> None:
        """Write now, or as soon as it can be."""
        if not attempt(commit):
            self._waiting.append(commit)

    def write_waiting(self, now: float) -> None:
        """Try again what waits, in its order."""
        if self._waiting and now >= self._retry_at:
            self.hold(now)
            while self._waiting and attempt(self._waiting[0]):
                self._waiting.pop(0)


def attempt(commit: Callable[[], object]) -> bool:
    """Write once; whether it was possible."""
    try:
        commit()
    except RequestError as error:
        log.warning("%s", error.message)
        return False
    return True
