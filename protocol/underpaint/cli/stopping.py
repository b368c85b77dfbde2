"""Told to stop: Ctrl-C, `kill`, a terminal that is closed. Each is a KeyboardInterrupt, so that
whoever has a job under way cancels it, and a service or a shell that goes leaves none behind."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_ONCE_S = 2.0
"""A terminal, its shell and the command in front each pass on what is one wish."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, each of these signals raises KeyboardInterrupt with its number. Those that the
    caller ignores (`nohup`, a shell's background) or looks after stay as they are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {n: h for n in numbers if (h := signal.getsignal(n)) in usual}
    heard = _Heard()
    for number in before:
        signal.signal(number, heard)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is heard:
                signal.signal(number, handler)


def number_of(stop: KeyboardInterrupt) -> int:
    """Which signal it was."""
    return int(stop.args[0]) if stop.args else signal.SIGINT


class _Heard:
    def __init__(self) -> None:
        self._at = -_ONCE_S

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._at >= _ONCE_S:
            self._at = now
            raise KeyboardInterrupt(number)
