"""What the daemon's queue looks like, as far as it was told. No bpy; nothing here blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from underpaint.client import Client
from underpaint.conversation.queue import before
from underpaint.errors import ConnectionLost, ErrorCode, UnderpaintError
from underpaint.wire.messages import Place, Queue

from ..link.session import Session
from ..link.task import Task

_EVERY_S = 1.0
_WAITS = "queued"
_LAST = 2**53


class Watching:
    """`told`: the queue as the daemon last said it; None before, and of a daemon that is older
    than the queue's messages (`too_old`)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.told: Queue | None = None
        self.too_old = False
        self._asked_at: float | None = None
        self._asking = False

    @property
    def paused(self) -> bool:
        """Whether nothing begins before it is resumed."""
        return self.told is not None and self.told.paused

    @property
    def yielded(self) -> str | None:
        """Why nothing goes on just now; None: it goes on."""
        return None if self.told is None else self.told.yielded

    def is_paused(self, task: Task) -> bool:
        """Whether this painting waits by itself."""
        jobs = () if self.told is None else self.told.jobs
        return any(info.job == task.id and info.paused for info in jobs)

    def in_order(self, tasks: Iterable[Task]) -> list[Task]:
        """What is painted first, then what waits as it will be painted."""
        jobs = () if self.told is None else self.told.jobs
        place = {info.job: number for number, info in enumerate(jobs)}
        return sorted(tasks, key=lambda t: (t.phase == _WAITS, place.get(t.id, _LAST)))

    def before(self, task: Task) -> int:
        """How many paintings come before one that waits, other programs' too."""
        return 0 if self.told is None else before(self.told, task.id) or 0

    def waits(self, task: Task) -> bool:
        """Whether a painting has not begun and can be moved or held."""
        return task.phase == _WAITS and not self.too_old and self.told is not None

    def tick(self) -> None:
        """Ask again when it is time: while something is painted or held."""
        if not self._session.reachable:
            self.told, self._asked_at, self.too_old = None, None, False
            return
        now = time.monotonic()
        wanted = self._session.kept_tasks or self.paused or self.yielded is not None
        due = self._asked_at is None or (wanted and now - self._asked_at >= _EVERY_S)
        if due and not self.too_old:
            self._ask()

    def move(self, job: str, to: Place) -> None:
        """Give a waiting painting another place. Raises ConnectionLost where there is no daemon."""
        self._change(lambda up: up.queue.move(job, to))

    def pause(self, job: str, paused: bool) -> None:
        """Hold one that waits, or (an empty id) the queue; or let it go on.

        Raises ConnectionLost.
        """
        asked = job or None
        self._change(lambda up: (up.queue.pause if paused else up.queue.resume)(asked))

    def _change(self, question: Callable[[Client], object]) -> None:
        self._session.ask(question, lambda _done: self._ask(), self._failed)

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        if not self._asking:
            self._asking = True
            self._session.ask(lambda up: up.queue.list(), self._take, self._failed)

    def _take(self, told: Queue) -> None:
        self._asking, self.told = False, told

    def _failed(self, error: UnderpaintError) -> None:
        self._asking = False
        if error.code is ErrorCode.UNSUPPORTED:
            self.too_old = True
        elif not isinstance(error, ConnectionLost):
            self._asked_at = None  # the job has ended meanwhile: look again
