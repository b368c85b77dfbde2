"""Blocking calls in threads of their own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from ..errors import ErrorCode, JobFailed, UnderpaintError

T = TypeVar("T")


def run_later(call: Callable[[], T]) -> Future[T]:
    """Run a blocking call in a thread of its own.

    The future gets its UnderpaintError or OSError. What else it raises is a bug: that goes to
    the thread's excepthook, and the future gets INTERNAL.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except (UnderpaintError, OSError) as error:
            future.set_exception(error)
        finally:
            if not future.done():
                why = f"{getattr(call, '__name__', call)}: {sys.exc_info()[1]!r}"
                future.set_exception(JobFailed(ErrorCode.INTERNAL, why))

    threading.Thread(target=run, name="underpaint-later", daemon=True).start()
    return future
