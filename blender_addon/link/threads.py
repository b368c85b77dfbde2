"""Work in other threads, whose ends the main thread takes in at a tick."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from underpaint.conversation.later import run_later
from underpaint.errors import ErrorCode, JobFailed, RequestError, UnderpaintError

T = TypeVar("T")


class Threads:
    """`run` and `take_in` in the main thread only."""

    def __init__(self) -> None:
        self._ended: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def run(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        otherwise: Callable[[UnderpaintError], None],
    ) -> None:
        """Run `work` in a thread; `then` or `otherwise` runs in a later `take_in`."""

        def ended(future: Future[T]) -> None:
            error = future.exception()
            if error is None:
                self._ended.put(partial(then, future.result()))
            else:
                self._ended.put(partial(otherwise, _as_ours(error)))

        run_later(work).add_done_callback(ended)

    def take_in(self, deadline: float) -> None:
        """Run what the ended ones call for, until so much monotonic time."""
        while time.monotonic() < deadline:
            try:
                call = self._ended.get_nowait()
            except queue.Empty:
                return
            call()


def _as_ours(error: BaseException) -> UnderpaintError:
    if isinstance(error, UnderpaintError):
        return error
    if isinstance(error, OSError):
        return RequestError(
            ErrorCode.FILE,
            f"the painting cannot be saved: {error}",
            hint="Free disk space, or save the .blend where its folder can be written to.",
        )
    return JobFailed(ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")
