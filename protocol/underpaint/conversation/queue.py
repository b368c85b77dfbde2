"""What a client does with the queue: look, move, hold, and have the GPU left alone."""

from __future__ import annotations

from ..wire import messages as m
from .exchange import Exchange


def before(queue: m.Queue, job: str) -> int | None:
    """How many jobs come before one; what is held by itself is passed. None where it is neither
    under way nor waits."""
    ids = [info.job for info in queue.jobs]
    if job not in ids:
        return None
    return sum(not info.paused for info in queue.jobs[: ids.index(job)])


class QueueCalls:
    """`up.queue`. Each call blocks until the answer; raises RequestError, ConnectionLost."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def list(self) -> m.Queue:
        """What is under way, then what waits, in the order in which it will run."""
        return self._exchange.ask(m.Queue, m.QueueList(), start=False)

    def move(self, job: str, to: m.Place = m.Place.FRONT) -> m.QueueMoveOk:
        """Give a waiting job another place: before all others, or past its neighbour. What is no
        longer waiting stays as it is."""
        return self._exchange.ask(m.QueueMoveOk, m.QueueMove(job, to))

    def pause(self, job: str | None = None) -> None:
        """Let no job begin, or this one not; what is under way goes on. A restart of the daemon
        does not change it."""
        self._exchange.ask(m.QueuePauseOk, m.QueuePause(job))

    def resume(self, job: str | None = None) -> None:
        """The end of such a pause."""
        self._exchange.ask(m.QueuePauseOk, m.QueuePause(job, paused=False))

    def yield_gpu(self, seconds: int, why: str = "") -> None:
        """Have the daemon leave the GPU alone for so many seconds (0 to 120), unless this is said
        again before; 0: go on. `why`: told to who waits, e.g. `Blender renders`. Starts no
        daemon."""
        self._exchange.ask(m.GpuYieldOk, m.GpuYield(seconds, why), start=False)
