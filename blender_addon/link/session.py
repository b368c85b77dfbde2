"""The add-on's conversation with the daemon. No bpy, and nothing here blocks.

The client's I/O thread talks; `later` threads fetch and write files; Blender's timer calls `tick`
on the main thread, which only looks at what has come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar

from underpaint.buffers import Buffers
from underpaint.client import Client, connect
from underpaint.conversation.state import ClientState
from underpaint.errors import ConnectionLost, ErrorCode, UnderpaintError
from underpaint.job import Job
from underpaint.paths import Paths
from underpaint.requests import Request
from underpaint.tree import from_json
from underpaint.wire.envelope import new_id
from underpaint.wire.records import ModelInfo

from ..plain.surfaces import Target
from . import left
from .fetching import found_or_asked, note_down
from .left import Note
from .saving import Saved, folder_name, keep_inputs, kept_target, save_results
from .starting import Starting
from .supervisor import is_installed, is_running
from .task import Task
from .threads import Threads

T = TypeVar("T")
_STARTING = (ClientState.STARTING, ClientState.HANDSHAKING)
_PLAIN_ABSENCE = (ErrorCode.DAEMON_ABSENT, ErrorCode.DAEMON_LOST)


class DaemonState(StrEnum):
    """What the artist sees of the daemon."""

    ABSENT = "absent"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    LOST = "lost"


class Session:
    """Connects when it is asked to, submits, follows, cancels, and saves what was painted.

    `starting`: how far the daemon's start is. `told`: whether the daemon has said which models it
    has, and so what they paint best with."""

    def __init__(self, paths: Callable[[], Paths]) -> None:
        self._paths = paths
        self._client: Client | None = None
        self._was_ready = False
        self._models_asked = False
        self.starting = Starting()
        self.told = False
        self._threads = Threads()
        self.tasks: dict[str, Task] = {}
        self.model_records: tuple[ModelInfo, ...] = ()
        self._left: tuple[Note, ...] | None = None

    # ---- the daemon ------------------------------------------------------------------------

    @property
    def state(self) -> DaemonState:
        if self._client is None:
            return DaemonState.ABSENT
        state = self._client.state
        if state.reachable:
            return DaemonState.BUSY if self.kept_tasks else DaemonState.READY
        if state in _STARTING:
            return DaemonState.STARTING
        return DaemonState.LOST if self._was_ready or self.tasks else DaemonState.ABSENT

    @property
    def kept_tasks(self) -> list[Task]:
        """The paintings under way, without the live view's."""
        return [task for task in self.tasks.values() if not task.passing]

    @property
    def reachable(self) -> bool:
        """Whether the daemon answers."""
        return self._client is not None and self._client.state.reachable

    @property
    def trouble(self) -> UnderpaintError | None:
        """Why the daemon cannot be had, when that is more than its not running."""
        if self._client is None or self._client.why is None:
            return None
        why = self._client.why
        return None if why.code in _PLAIN_ABSENCE else why

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models that the daemon has."""
        return tuple(model.name for model in self.model_records)

    @property
    def sizes(self) -> dict[str, int]:
        """The picture's side that each model paints by itself, pixels."""
        known = [model for model in self.model_records if "size" in model.defaults]
        return {model.name: int(model.defaults["size"]) for model in known}

    def ask_models(self) -> None:
        """Have the daemon say again which models it has."""
        self._models_asked = False

    def check_reachable(self) -> None:
        """Raise the reason when the daemon has been gone for longer than a restart takes."""
        self._live().check_reachable()

    def start(self) -> None:
        """Connect; find the daemon or start it. Returns at once.

        Raises ConnectionLost(DAEMON_ABSENT) where there is none to be started.
        """
        if self.reachable:
            return
        paths = self._paths()
        if not (is_installed(paths) or is_running(paths)):
            raise ConnectionLost(
                ErrorCode.DAEMON_ABSENT,
                "what paints is not installed yet",
                hint="Press Install at the top of the Underpaint tab.",
            )
        if not is_running(paths):
            self.starting.begin(paths)
        if self._client is None or self._client.state is ClientState.CLOSED:
            self._client = connect(paths, wait=False, client="blender")
            self._models_asked = False
        else:
            self._client.want_daemon()

    def close(self) -> None:
        """Let go of the daemon; jobs run on there."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._was_ready = False
        self.tasks.clear()

    def ask(
        self,
        question: Callable[[Client], T],
        then: Callable[[T], None],
        otherwise: Callable[[UnderpaintError], None],
    ) -> None:
        """Ask the daemon in a thread; `then` or `otherwise` runs in a later `tick`.

        Raises ConnectionLost when nothing was connected yet.
        """
        self._threads.run(partial(question, self._live()), then, otherwise)

    def drop(self, job: str) -> None:
        """Let the daemon forget a job that has ended."""
        if self.reachable:
            self.ask(lambda up: up.remove(job), lambda _nothing: None, _shown_by_state)

    def end_daemon(self) -> None:
        """Ask the daemon to end, before its environment is taken away; returns at once."""
        if self._client is not None and self._client.state.reachable:
            self._threads.run(self._client.shutdown, lambda _nothing: None, _shown_by_state)

    # ---- painting --------------------------------------------------------------------------

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
            self._threads.run(partial(client.cancel, task.id), lambda _state: None, _shown_by_state)

    def tick(self, seconds: float) -> list[Task]:
        """Take in what has come, for at most so long; the tasks that have ended since."""
        deadline = time.monotonic() + seconds
        self._threads.take_in(deadline)
        if self._client is not None:
            for event in self._client.poll():
                if event.job in self.tasks:
                    self.tasks[event.job].take(event)
            self._follow_connection(self._client)
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

    def _live(self) -> Client:
        if self._client is None:
            raise ConnectionLost(ErrorCode.DAEMON_ABSENT, "no daemon is running")
        return self._client

    def _follow_connection(self, client: Client) -> None:
        if not client.state.reachable:
            return
        self._was_ready = True
        self.starting.end(self._paths)
        if not self._models_asked:
            self._models_asked = True
            self._threads.run(client.models, self._take_models, self._not_told)
        for task in self.tasks.values():
            if task.to_fetch and not task.fetching:
                self._fetch(task)

    def _take_models(self, found: Sequence[ModelInfo]) -> None:
        self.model_records, self.told = tuple(found), True

    def _not_told(self, error: UnderpaintError) -> None:
        """Ask again where the daemon went away; what it cannot say, it will not say later."""
        self._models_asked = not isinstance(error, ConnectionLost)
        self.told = self.told or self._models_asked

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


def _shown_by_state(_error: UnderpaintError) -> None:
    """What failed because the daemon went away: the connection's state says so."""
