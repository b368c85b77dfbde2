"""The add-on's connection to the daemon: its start, its state and its models. No bpy, and nothing
here blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import TypeVar

from underpaint.client import Client, connect
from underpaint.conversation.state import ClientState
from underpaint.errors import ConnectionLost, ErrorCode, UnderpaintError
from underpaint.paths import Paths
from underpaint.wire.records import ModelInfo

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


class Connected:
    """Connects when it is asked to, and knows what the artist sees of the daemon.

    `tasks`: what is under way, by job. `starting`: how far the daemon's start is. `told`: whether
    the daemon has said which models it has, and so what they paint best with.
    """

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
            self.ask(lambda up: up.remove(job), lambda _nothing: None, shown_by_state)

    def end_daemon(self) -> None:
        """Ask the daemon to end, before its environment is taken away; returns at once."""
        if self._client is not None and self._client.state.reachable:
            self._threads.run(self._client.shutdown, lambda _nothing: None, shown_by_state)

    def _live(self) -> Client:
        if self._client is None:
            raise ConnectionLost(ErrorCode.DAEMON_ABSENT, "no daemon is running")
        return self._client

    def _follow_connection(self, client: Client) -> bool:
        """Take in that the daemon answers; whether it does."""
        if not client.state.reachable:
            return False
        self._was_ready = True
        self.starting.end(self._paths)
        if not self._models_asked:
            self._models_asked = True
            self._threads.run(client.models, self._take_models, self._not_told)
        return True

    def _take_models(self, found: Sequence[ModelInfo]) -> None:
        self.model_records, self.told = tuple(found), True

    def _not_told(self, error: UnderpaintError) -> None:
        """Ask again where the daemon went away; what it cannot say, it will not say later."""
        self._models_asked = not isinstance(error, ConnectionLost)
        self.told = self.told or self._models_asked


def shown_by_state(_error: UnderpaintError) -> None:
    """What failed because the daemon went away: the connection's state says so."""
