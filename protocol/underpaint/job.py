"""A handle on one job of the daemon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from .conversation.feed import Feed
from .errors import ConnectionLost, ErrorCode
from .events import Done, Failed, JobEvent, Preview, ResultFile
from .wire.messages import JobInfo, JobState

_LOOK_S = 0.5


class JobClient(Protocol):
    """What a job needs of its client."""

    def check_reachable(self) -> None:
        """Raise ConnectionLost when the daemon has been gone for too long."""

    def grant_preview(self, job: str) -> None:
        """Let the daemon send one more preview of the job."""

    def fetch_results(self, job: str, timeout: float | None = None) -> list[ResultFile]:
        """Fetch and acknowledge the result files."""

    def cancel(self, job: str, *, hard: bool = False, keep: bool = False) -> JobState:
        """Ask the daemon to cancel the job, or to end it with what it has."""

    def forget(self, job: str) -> None:
        """Stop following the job."""


class Job:
    """One job. Iterate it for its events; `result()` waits for its files."""

    def __init__(self, client: JobClient, feed: Feed, *, previews: bool = False) -> None:
        self._client = client
        self._feed = feed
        self._previews = previews
        self.id = feed.job

    @property
    def info(self) -> JobInfo | None:
        """The last that is known, without asking; None before the daemon has accepted it."""
        return self._feed.info

    @property
    def ended(self) -> bool:
        """Whether Done or Failed has come."""
        return self._feed.ended

    def __iter__(self) -> Iterator[JobEvent]:
        return self.events()

    def events(
        self,
        *,
        previews: bool | None = None,
        timeout: float | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> Iterator[JobEvent]:
        """The job's events as they come; the last is Done or Failed.

        `previews`: whether to ask for previews (default: as said at submit). `timeout`: seconds
        without any event after which ConnectionLost(TIMEOUT) is raised; None waits as long as the
        daemon can be reached. `meanwhile`: called before each wait for events, which is at most
        half a second. What is slow to read misses progress and previews, never states.
        """
        if previews is not None and previews != self._previews:
            self.show_previews(previews)
        quiet_since = time.monotonic()
        while True:
            if meanwhile is not None:
                meanwhile()
            taken = self.take(_LOOK_S)
            for event in taken:
                yield event
                if isinstance(event, (Done, Failed)):
                    return
            if taken:
                quiet_since = time.monotonic()
            elif self._feed.ended:
                return
            else:
                self._check_patience(quiet_since, timeout)

    def take(self, wait: float = 0.0) -> list[JobEvent]:
        """The events that wait; blocks for `wait` seconds at most when there are none."""
        taken = self._feed.take(wait)
        if any(isinstance(event, (Done, Failed)) for event in taken):
            self._client.forget(self.id)  # nothing more will come
        if self._previews and any(isinstance(event, Preview) for event in taken):
            self._client.grant_preview(self.id)
        return taken

    def show_previews(self, on: bool = True) -> None:
        """Ask for previews, or stop asking."""
        self._previews = on
        if on and not self._feed.ended:
            self._client.grant_preview(self.id)

    @property
    def wants_preview(self) -> bool:
        return self._previews and not self._feed.ended

    def result(self, timeout: float | None = None) -> list[ResultFile]:
        """Wait for the end, then fetch the files. Raises JobFailed (or what else went wrong)."""
        began = time.monotonic()
        while not self._feed.wait_ended(_LOOK_S):
            self._check_patience(began, timeout)
        self._client.forget(self.id)
        failure = self._feed.failure
        if failure is not None:
            raise failure
        return self._client.fetch_results(self.id, timeout)

    def cancel(self, *, hard: bool = False) -> JobState:
        """Ask to stop at the next step (`hard`: also kill the worker if that takes too long).

        Returns the state in which the wish met the job; the end comes as an event.
        """
        return self._client.cancel(self.id, hard=hard)

    def enough(self) -> JobState:
        """That is enough: stop at the next step and keep the picture as it is by then.

        The job ends as done; its recipe says `stopped_early`. One that still waits is cancelled.
        Returns the state in which the wish met the job.
        """
        return self._client.cancel(self.id, keep=True)

    def forget(self) -> None:
        """Stop following the job; it runs on."""
        self._client.forget(self.id)

    def _check_patience(self, since: float, timeout: float | None) -> None:
        if timeout is not None and time.monotonic() - since > timeout:
            raise ConnectionLost(ErrorCode.TIMEOUT, f"job {self.id}: nothing for {timeout:g} s")
        self._client.check_reachable()


class Followed:
    """The jobs that one client follows, each with its feed. Thread-safe."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Job, Feed]] = {}
        self._lock = threading.Lock()

    def add(self, job_id: str, made: Callable[[Feed], Job]) -> tuple[Job, Feed]:
        """Follow a job, which `made` makes of its feed, unless it is followed already."""
        with self._lock:
            if job_id not in self._entries:
                feed = Feed(job_id)
                self._entries[job_id] = (made(feed), feed)
            return self._entries[job_id]

    def get(self, job_id: str) -> tuple[Job, Feed] | None:
        """A job and its feed; None when it is not followed."""
        return self._entries.get(job_id)

    def drop(self, job_id: str) -> None:
        """Follow a job no longer."""
        with self._lock:
            self._entries.pop(job_id, None)

    def jobs(self) -> list[Job]:
        """All of them."""
        with self._lock:
            return [job for job, _ in self._entries.values()]

    def under_way(self) -> list[tuple[Job, Feed]]:
        """Those that the daemon knows and that have not ended."""
        with self._lock:
            known = [entry for entry in self._entries.values() if entry[1].info]
        return [entry for entry in known if not entry[1].ended]
