"""The client: `with underpaint.connect() as up: for event in up.submit(request): …`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from typing import Self, TypeVar

from .buffers import Buffers
from .conversation.exchange import START_S, Exchange
from .conversation.feed import Feed
from .conversation.later import run_later
from .conversation.outstanding import Reply
from .conversation.questions import Questions
from .conversation.queue import QueueCalls
from .conversation.session import Session
from .conversation.state import ClientState
from .conversation.transfer import Transfer
from .errors import ConnectionLost, ErrorCode, RequestError, UnderpaintError
from .events import JobEvent, ResultFile
from .job import Followed, Job
from .paths import Paths, user_paths
from .requests import Request
from .wire import limits
from .wire import messages as m
from .wire.envelope import new_id
from .wire.message_types import Channel
from .wire.messages import JobInfo, JobState

PATIENCE_S = 30.0
T = TypeVar("T")
B = TypeVar("B", bound=m.Body)


def connect(
    paths: Paths | None = None,
    *,
    start: bool = True,
    wait: bool = True,
    timeout: float = START_S,
    client: str = "python",
) -> Client:
    """A client of this user's daemon.

    `start`: start the daemon when it is not there, and again when it crashes under a job that
    this client follows. `wait`: return when the daemon has answered; False returns at once (look
    at `Client.state`). `client`: a name for the daemon's log.
    Raises ConnectionLost when there is no daemon and none could be started.
    """
    with ExitStack() as undo:
        up = Client(paths or user_paths(), start=start, client=client)
        undo.callback(up.close)
        if wait:
            up.wait_ready(timeout)
        undo.pop_all()
    return up


class Client(Questions):
    """Talks to the daemon; every method may be called from any thread.

    A method that asks the daemon blocks until the answer, at most its time-out, and raises
    UnderpaintError. `poll`, `state`, `why` and `later` never block. `queue`: its order and pauses.
    What asks of no job in hand (`jobs`, `gallery`, `models`, `status`, …): see `Questions`.
    """

    def __init__(self, paths: Paths, *, start: bool = True, client: str = "python") -> None:
        self._followed = Followed()
        self._session = Session(paths, self, start=start, client=client)
        exchange = Exchange(self._session)
        super().__init__(exchange, Transfer(exchange))
        self.queue = QueueCalls(exchange)
        self._session.open()

    # ---- the connection --------------------------------------------------------------------

    @property
    def state(self) -> ClientState:
        """How the client stands with the daemon."""
        return self._session.state

    @property
    def why(self) -> UnderpaintError | None:
        """Why the daemon cannot be reached; None while it can."""
        return None if self.state.reachable else self._session.why

    def wait_ready(self, timeout: float = START_S) -> None:
        """Wait until the daemon answers. Raises ConnectionLost."""
        if not self._session.wait_ready(timeout):
            raise self._session.why

    def want_daemon(self) -> None:
        """Have the daemon started if it is gone; does not block."""
        self._session.want_daemon()

    def close(self) -> None:
        """Let go of the daemon; jobs run on."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # ---- jobs ------------------------------------------------------------------------------

    def submit(
        self,
        request: Request,
        buffers: Buffers | None = None,
        *,
        job_id: str | None = None,
        previews: bool = False,
        wait: bool = True,
        origin: str | None = None,
    ) -> Job:
        """Hand a request to the daemon; returns when it is accepted and stored.

        `buffers`: the arrays that the request refers to; only those are sent that the daemon does
        not have. `job_id`: the same id with the same request is the same job, however often it is
        sent. `wait=False` returns at once; a refusal then comes as a Failed event. `origin`: where
        it is asked for, as the gallery shows it; a host's name for it, as its scene's. Ctrl-C while
        it is handed over cancels it, if it was accepted.
        Raises RequestError when the request is refused, ConnectionLost.
        """
        job, feed = self._follow(job_id or new_id(), previews)
        arrays = Buffers() if buffers is None else buffers
        if wait:
            with ExitStack() as undo:
                undo.callback(self.forget, job.id)
                try:
                    self._hand_over(job, request, arrays, origin)
                except KeyboardInterrupt:
                    with suppress(UnderpaintError):
                        self.cancel(job.id)
                    raise
                undo.pop_all()
        else:
            handed = self.later(lambda: self._hand_over(job, request, arrays, origin))
            handed.add_done_callback(feed.fail_with)
        return job

    def job(self, job_id: str, *, previews: bool = False) -> Job:
        """Follow a job that was submitted before, by any client. Raises RequestError."""
        job, _ = self._follow(job_id, previews)
        with ExitStack() as undo:
            undo.callback(self.forget, job_id)
            snapshot = self._exchange.ask(m.Snapshot, m.Watch(job_id))
            undo.pop_all()
        self._started(job, snapshot.info)
        return job

    def cancel(self, job: str, *, hard: bool = False, keep: bool = False) -> JobState:
        """Ask for a job's end; see Job.cancel, and Job.enough for `keep`."""
        mode = m.CancelMode.HARD if hard else m.CancelMode.SOFT
        mode = m.CancelMode.KEEP if keep else mode
        return self._exchange.ask(m.CancelOk, m.Cancel(job, mode)).state

    def poll(self) -> list[JobEvent]:
        """The waiting events of all followed jobs; never blocks. For hosts with a timer."""
        return [event for job in self._followed.jobs() for event in job.take()]

    def forget(self, job: str) -> None:
        """Stop following a job; it runs on."""
        self._followed.drop(job)

    def fetch_results(self, job: str, timeout: float | None = None) -> list[ResultFile]:
        """The result files of a job that is done, fetched and acknowledged."""
        return self._exchange.persist(lambda: self._transfer.fetch(job, timeout), timeout)

    def later(self, call: Callable[[], T]) -> Future[T]:
        """Run a blocking call in a thread of its own: `up.later(job.result)`.

        The future gets its UnderpaintError or OSError. What else it raises is a bug: that goes to
        the thread's excepthook, and the future gets INTERNAL.
        """
        return run_later(call)

    # ---- for Job and Session ---------------------------------------------------------------

    def check_reachable(self) -> None:
        """Raise the reason when the daemon has been gone for longer than a restart takes."""
        gone = self._session.unreachable_for
        state = self.state
        coming = state in (ClientState.STARTING, ClientState.HANDSHAKING)
        if state is ClientState.CLOSED or (gone > PATIENCE_S and not coming):
            raise self._session.why

    def grant_preview(self, job: str) -> None:
        """Give the daemon credit for one more preview."""
        self._session.tell(Channel.CONTROL, m.PreviewCredit(job))

    def connected(self) -> None:
        """Session: a daemon said hello; ask for every job anew."""
        self._transfer.forget_known()
        for job, feed in self._followed.under_way():
            self._watch(job, feed)

    def received(self, reply: Reply) -> None:
        """Session: an event or a preview."""
        body = reply.body
        if isinstance(body, (m.Event, m.Preview)):
            entry = self._followed.get(body.job)
            if entry is not None:
                entry[1].received(reply)

    def needs_daemon(self) -> bool:
        """Session: whether a followed job has not ended."""
        return bool(self._followed.under_way())

    # ---- within ----------------------------------------------------------------------------

    def _follow(self, job_id: str, previews: bool) -> tuple[Job, Feed]:
        if not limits.ID.fullmatch(job_id):
            raise RequestError(
                ErrorCode.BAD_REQUEST, f"job id {job_id!r} does not match {limits.ID.pattern}"
            )
        return self._followed.add(job_id, lambda feed: Job(self, feed, previews=previews))

    def _hand_over(self, job: Job, request: Request, buffers: Buffers, origin: str | None) -> None:
        accepted = self._transfer.submit(job.id, request, buffers, origin)
        self._started(job, accepted.info)
        entry = self._followed.get(job.id)
        if entry is not None and not job.ended:
            self._watch(*entry)

    def _started(self, job: Job, info: JobInfo) -> None:
        entry = self._followed.get(job.id)
        if entry is not None:
            entry[1].apply_snapshot(info)
            if job.wants_preview:
                self.grant_preview(job.id)

    def _watch(self, job: Job, feed: Feed) -> None:
        def answered(future: Future[Reply]) -> None:
            error = future.exception()
            if error is None and isinstance(body := future.result().body, m.Snapshot):
                feed.apply_snapshot(body.info)
            elif isinstance(error, UnderpaintError) and not isinstance(error, ConnectionLost):
                feed.fail(error)

        self._session.post(Channel.CONTROL, m.Watch(job.id)).add_done_callback(answered)
        if job.wants_preview:
            self.grant_preview(job.id)
