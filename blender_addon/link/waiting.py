"""Paintings that wait in the add-on: while the artist has paused, while Blender renders, and while
their order is changed. No bpy.

What the daemon has queued and not begun is taken back from it, under a new id: an id that was
cancelled stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from underpaint.client import Client
from underpaint.errors import ErrorCode, JobFailed, UnderpaintError
from underpaint.paths import Paths
from underpaint.wire.envelope import new_id

from . import left
from .fetching import note_down
from .task import Task
from .threads import Threads

_QUEUED = "queued"


class Waits:
    """A mixin of `Session`. `waiting`: what is not handed over, in order; `paused`: by the artist;
    `rests`: Blender renders."""

    tasks: dict[str, Task]
    _paths: Callable[[], Paths]
    _threads: Threads

    def __init__(self) -> None:
        self.waiting: list[Task] = []
        self.paused = False
        self.rests = False

    @property
    def stopped(self) -> bool:
        """Whether nothing new is handed over."""
        return self.paused or self.rests

    def movable(self) -> list[Task]:
        """What has not begun, in order."""
        queued = [task for task in self.tasks.values() if _is_queued(task)]
        return [*queued, *self.waiting]

    def stop(self, *, paused: bool | None = None, rests: bool | None = None) -> Mapping[str, str]:
        """Hand nothing over, or go on; new ids of what was taken back, by the old ones."""
        before = self.stopped
        self.paused = self.paused if paused is None else paused
        self.rests = self.rests if rests is None else rests
        renamed = self._take_back() if self.stopped and not before else {}
        return renamed

    def move(self, job: str, by: int) -> Mapping[str, str]:
        """Let a painting that has not begun be painted earlier (below 0) or later; new ids as of
        `stop`."""
        place = next((i for i, task in enumerate(self.movable()) if task.id == job), None)
        if place is None:
            return {}
        renamed = self._take_back()
        task = self.waiting.pop(place)
        self.waiting.insert(min(max(0, place + by), len(self.waiting)), task)
        return renamed

    def give_up(self, task: Task) -> bool:
        """End one that waits; whether it did."""
        if task not in self.waiting:
            return False
        self.waiting.remove(task)
        task.error = JobFailed(ErrorCode.CANCELLED, "the job was cancelled")
        return True

    def _go_on(self) -> None:
        """Hand over the next, once the daemon has taken in the one before: so they stay in order.
        Each tick calls this."""
        on_the_way = any(task.job is not None and task.job.info is None for task in self._kept())
        if self.stopped or on_the_way or not self.waiting:
            return
        task = self.waiting.pop(0)
        self.tasks[task.id] = self.tasks.pop(task.id)  # the last that the daemon got
        self._hand_over(task)

    def _kept(self) -> list[Task]:
        return [task for task in self.tasks.values() if not task.passing]

    def _take_back(self) -> dict[str, str]:
        renamed = dict[str, str]()
        for task in [task for task in self.tasks.values() if _is_queued(task)]:
            old, task.id = task.id, new_id()
            cancel = partial(self._live().cancel, old)
            self._threads.run(cancel, lambda _state: None, shown_by_state)
            if task.job is not None:
                task.job.forget()
            task.job = None
            del self.tasks[old]
            left.forget(self._paths(), old)
            self.tasks[task.id] = task
            note_down(self._paths(), task)
            renamed[old] = task.id
            self.waiting.insert(len(renamed) - 1, task)
        return renamed

    def _hand_over(self, task: Task) -> None:
        assert task.buffers is not None
        task.job = self._live().submit(
            task.request,
            task.buffers,
            job_id=task.id,
            previews=True,
            wait=False,
            origin=task.scene,
        )

    def _live(self) -> Client:
        """The session's own."""
        raise NotImplementedError


def _is_queued(task: Task) -> bool:
    """Whether the daemon has it, and has not begun."""
    has = task.job is not None and task.buffers is not None
    return has and task.phase == _QUEUED and not task.passing


def shown_by_state(_error: UnderpaintError) -> None:
    """What failed because the daemon went away: the connection's state says so."""
