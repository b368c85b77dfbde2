"""Seconds that are counted on a terminal while a step says nothing. Stdlib only."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

_BEAT_S = 1.0


@contextlib.contextmanager
def ticking() -> Iterator[None]:
    """Count the seconds of what happens within, in a line that is gone afterwards; nothing where
    nobody looks."""
    if not sys.stdout.isatty():
        yield
        return
    over = threading.Event()
    counting = threading.Thread(target=_count, args=(over, time.monotonic()), daemon=True)
    counting.start()
    try:
        yield
    finally:
        over.set()
        counting.join()
        print("\r\x1b[K", end="", flush=True)


def _count(over: threading.Event, began: float) -> None:
    while not over.wait(_BEAT_S):
        print(f"\r  {time.monotonic() - began:.0f} s so far", end="", flush=True)
