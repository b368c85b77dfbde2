"""The add-on's conversation with the daemon. No bpy, and nothing here blocks.

The client's I/O thread talks; `later` threads fetch and write files; Blender's timer calls `tick`
on the main thread, which only looks at what has come.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from underpaint.buffers import Buffers
from underpaint.errors import ConnectionLost, UnderpaintError
from underpaint.job import Job
from underpaint.paths import Paths
from underpaint.requests import Request
from underpaint.tree import from_json
from underpaint.wire.envelope import new_id

from ..plain.surfaces import Target
from . import left
from .connected import Connected, shown_by_state
from .fetching import found_or_asked, note_down
from .left import Note
from .saving import Saved, folder_name, keep_inputs, kept_target, save_results
from .task import Task


class Session(Connected):
    """Submits, follows, cancels, and saves what was painted."""

    def __init__(self, paths: Callable[[], Paths]) -> None:
        super().__init__(paths)
        self._left: tuple[Note, ...] | None = None

    def submit(
        self,
        request: Request,
        buffers: Buffers,
        *,
        scene: str,
        folder: Path,
        target: Target | None = None,
        passing: bool = False,
    ) -> Task:
        """Hand a request over; returns at once. What becomes of it shows in the task.

        `folder`: results go into a new folder in it. `passing`: nothing is noted, and nothing but
        the picture is written. Raises UnderpaintError.
        """
        self.start()
        client = self._live()
        job_id = new_id()
        place = folder / folder_name(request.prompt.text, job_id, datetime.now().astimezone())
        task = Task(job_id, request, scene, place, target, buffers, passing)
        if not passing:
            note_down(self._paths(), task)
        self.tasks[job_id] = task
        task.job = client.submit(
            request, buffers, job_id=job_id, previews=True, wait=False, origin=scene
        )
        if passing:
            return task
        keep = partial(keep_inputs, place, request, buffers, target)
        self._threads.run(
            keep, lambda _path: None, lambda error: task.warnings.append(error.message)
        )
        return task

    @property
    def left(self) -> tuple[Note, ...]:
        """Paintings that a Blender left when it closed, to be fetched."""
        if self._left is None:
            self._left = left.left_over(self._paths(), set(self.tasks))
        return self._left

    def fetch_left(self, note: Note) -> Task:
        """Follow such a painting to its end, as if it had been asked for now.

        Raises UnderpaintError, OSError.
        """
        folder = Path(note.folder)
        task = Task(note.job, from_json(note.request), note.scene, folder, kept_target(folder))
        self.start()
        note_down(self._paths(), task)
        self.tasks[task.id] = task
        self._left = None

        def followed(job: Job) -> None:
            task.job = job

        def failed(error: UnderpaintError) -> None:
            task.error = error

        self._threads.run(partial(found_or_asked, self._live(), task), followed, failed)
        return task

    def drop_left(self, job: str) -> None:
        """Offer a painting no more."""
        left.forget(self._paths(), job)
        self._left = None

    def cancel(self, job: str = "") -> None:
        """Ask for the end of a painting, or of all; it comes as CANCELLED in the tasks."""
        client = self._live()
        asked = [task for task in self.tasks.values() if job in ("", task.id)]
        for task in asked:
            self._threads.run(partial(client.cancel, task.id), lambda _state: None, shown_by_state)

    def tick(self, seconds: float) -> list[Task]:
        """Take in what has come, for at most so long; the tasks that have ended since."""
        deadline = time.monotonic() + seconds
        self._threads.take_in(deadline)
        if self._client is not None:
            for event in self._client.poll():
                if event.job in self.tasks:
                    self.tasks[event.job].take(event)
            if self._follow_connection(self._client):
                self._fetch_results()
        ended = [task for task in self.tasks.values() if task.ended]
        for task in ended:
            del self.tasks[task.id]
            if task.job is not None:
                task.job.forget()
            if task.passing:
                continue
            if isinstance(task.error, ConnectionLost) or task.not_saved:
                self._left = None  # the daemon may have it: offered again
            else:
                left.forget(self._paths(), task.id)
        return ended

    def _fetch_results(self) -> None:
        for task in self.tasks.values():
            if task.to_fetch and not task.fetching:
                self._fetch(task)

    def _fetch(self, task: Task) -> None:
        job = task.job
        if job is None:
            return

        def kept(found: Saved) -> None:
            task.files, task.elsewhere = found.images, found.told
            task.folder = found.images[0].parent

        def failed(error: UnderpaintError) -> None:
            # The daemon keeps what was not fetched: try again when it is back.
            task.fetching = False
            if not isinstance(error, ConnectionLost):
                task.error = error

        def beside(place: Path) -> None:
            if task.buffers is not None:
                keep_inputs(place, task.request, task.buffers, task.target)

        task.fetching = True
        self._threads.run(partial(save_results, job, task.folder, beside), kept, failed)
