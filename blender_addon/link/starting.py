"""How far the daemon's start is, by how long it took before. No bpy."""

from __future__ import annotations

import time
from collections.abc import Callable

from underpaint.conversation.usual import DAEMON, Wait, learn, usual_s
from underpaint.paths import Paths


class Starting:
    """A daemon that was asked for and does not answer yet."""

    def __init__(self) -> None:
        self._wait: Wait | None = None

    def begin(self, paths: Paths) -> None:
        """It is started now."""
        self._wait = Wait(time.monotonic(), usual_s(paths, DAEMON))

    def end(self, paths: Callable[[], Paths]) -> None:
        """It answers."""
        if self._wait is not None:
            learn(paths(), DAEMON, time.monotonic() - self._wait.began)
            self._wait = None

    @property
    def left_s(self) -> int | None:
        """Whole seconds until it probably answers; None where it is not awaited, or how long that
        takes is not known."""
        left = None if self._wait is None else self._wait.left_s(time.monotonic())
        return None if left is None else max(round(left), 1)

    @property
    def part(self) -> float:
        """How much is probably over, 0–1."""
        return (self._wait and self._wait.part(time.monotonic())) or 0.0
