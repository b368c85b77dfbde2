"""The control thread: the `control` socket, the job table, the worker.

It does nothing that takes long, so that a ping or a cancel is answered at once whatever else the
daemon is doing; long things go to the data thread and into the worker.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import zmq

from underpaint.errors import ErrorCode, ProtocolError, UnderpaintError
from underpaint.wire.envelope import Envelope, decode, id_of
from underpaint.wire.message_types import REQUESTS, Channel, error_message, message, parse
from underpaint.wire.messages import (
    Accepted,
    Body,
    Bye,
    GpuYield,
    GpuYieldOk,
    Hello,
    LogTail,
    ModelsList,
    PreviewCredit,
    Shutdown,
    ShutdownWhen,
    Snapshot,
    Submit,
    Watch,
)
from underpaint.wire.security import receive_frames

from ..boundary import guarded, unforeseen
from ..config import Config
from ..jobs.engine import Engine
from ..jobs.store import Store
from ..lifecycle import Identity
from ..supervisor import FromWorker, Supervisor, WorkerGone
from ..thread_messages import (
    Asked,
    Checked,
    Ended,
    Greeted,
    Pin,
    Route,
    Send,
    Sweep,
    ToControl,
    ToData,
    Verified,
)
from .answers import Answers
from .mailbox import Mailbox
from .peers import Peers
from .versions import told_to

log = logging.getLogger("control")
_NAME = "control"
_TICK_MS = 100
_RETRY_MS = 10
_HANDS_OVER_S = 5.0
"""How long a daemon that was told to end waits for another request for its last results."""
_FOR_DATA_THREAD = (Submit, ModelsList, LogTail)


class ControlThread:
    """Runs until shutdown, a signal, or idle exit."""

    def __init__(
        self,
        config: Config,
        socket: zmq.Socket[bytes],
        store: Store,
        engine: Engine,
        supervisor: Supervisor,
        peers: Peers,
        identity: Identity,
        inbox: Mailbox[ToControl],
        data: Mailbox[ToData],
    ) -> None:
        self._config = config
        self._socket = socket
        self._store = store
        self._engine = engine
        self._supervisor = supervisor
        self._peers = peers
        self._outbox = peers.outbox
        self._identity = identity
        self._inbox = inbox
        self._data = data
        self._answers = Answers(
            store, engine, supervisor, identity, lambda job: data.put(Sweep((job,)))
        )
        self._heard_at = time.monotonic()
        self._swept = -1
        self._stopping = self._hands_over = False

    def stop(self) -> None:
        """Leave the loop soon; safe in a signal handler."""
        self._stopping = True

    def run(self, data_heard_at: Callable[[], float]) -> None:
        """The loop; what a handler raises unforeseen ends that step only (see `boundary`).

        `data_heard_at`: when the data socket last heard a client (monotonic seconds).
        """
        for job, request in self._engine.recover():
            self._data.put(Pin(job.id, request))
        self._supervisor.start()
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._inbox.wake, zmq.POLLIN)
        while not self._over(data_heard_at()):
            poller.poll(_RETRY_MS if self._outbox.waiting else _TICK_MS)
            for item in self._inbox.drain():
                if not guarded(_NAME, partial(self._take, item)):
                    self._told_unforeseen(item)
            guarded(_NAME, self._receive)
            guarded(_NAME, self._tick)
        self._engine.stop()

    def _over(self, data_heard_at: float) -> bool:
        if self._stopping or self._drained(data_heard_at):
            return True
        limit = self._config.idle_exit
        idle = time.monotonic() - max(self._heard_at, data_heard_at)
        if limit and idle > limit and not self._engine.busy:
            log.info("no client and no job for %d s: the daemon ends", idle)
            return True
        return False

    def _drained(self, data_heard_at: float) -> bool:
        """Whether the last job is over, and whoever followed it has fetched what it painted."""
        if not self._engine.draining or self._engine.running is not None:
            return False
        quiet = time.monotonic() - max(self._engine.idle_since, data_heard_at)
        return not self._hands_over or quiet > _HANDS_OVER_S

    def _tick(self) -> None:
        self._outbox.retry()
        for identity in self._outbox.lost():
            session = self._peers.sessions.drop_control(identity)
            if session is not None:
                self._engine.forget(session)
        self._engine.tick(time.monotonic())
        if self._swept != self._peers.ended_jobs:
            self._swept = self._peers.ended_jobs
            self._sweep()

    def _sweep(self) -> None:
        oldest = time.time() - self._config.results_age
        removed = self._store.results_to_remove(self._config.results_bytes, oldest)
        with contextlib.suppress(UnderpaintError):
            self._store.mark_removed(removed)
            removed += self._store.forget_old(self._config.max_jobs)
            self._data.put(Sweep(tuple(removed)))

    # ---- what arrives -----------------------------------------------------------------------

    def _receive(self) -> None:
        # A bounded number, so that a flood on the socket does not starve the worker's messages.
        with contextlib.suppress(zmq.Again):
            for _ in range(32):
                identity, *frames = receive_frames(self._socket)
                self._heard_at = time.monotonic()
                if not guarded(_NAME, partial(self._answer, bytes(identity), frames)):
                    self._outbox.send(bytes(identity), error_message(unforeseen(), id_of(frames)))

    def _answer(self, identity: bytes, frames: list[memoryview]) -> None:
        route = Route(Channel.CONTROL, identity)
        try:
            envelope = decode(frames)
            minor = self._peers.sessions.minor_of(identity)
            route = Route(Channel.CONTROL, identity, envelope.id, minor)
            self._handle(route, envelope, parse(envelope))
        except UnderpaintError as error:
            self._outbox.send(
                identity, error_message(told_to(route.minor, error), route.re or id_of(frames))
            )

    def _handle(self, route: Route, envelope: Envelope, body: Body) -> None:
        if isinstance(body, Hello):
            self._peers.sessions.greet_control(body, route.identity)
            self._reply(route, self._identity.hello_ok())
            return
        if type(body) not in REQUESTS[Channel.CONTROL]:
            raise ProtocolError(
                f"{envelope.type} is not for the control socket", code=ErrorCode.UNSUPPORTED
            )
        session = self._peers.sessions.of_control(route.identity)
        if session is None:
            raise ProtocolError("say hello first", code=ErrorCode.HELLO_REQUIRED)
        if isinstance(body, PreviewCredit):
            self._engine.credit(body.job, session, body.n)
        elif isinstance(body, GpuYield):
            self._engine.yielded.take(session, body.seconds, body.why, time.monotonic())
            self._reply(route, GpuYieldOk(body.seconds))
        elif isinstance(body, Watch):
            self._reply(route, Snapshot(self._engine.watch(body.job, session)))
        elif isinstance(body, _FOR_DATA_THREAD):
            self._data.put(Asked(route, replace(envelope, buffers=()), body))
        else:
            self._reply(route, self._answer_to(body))

    def _take(self, item: ToControl) -> None:
        match item:
            case FromWorker():
                self._engine.from_worker(item)
            case WorkerGone():
                self._engine.worker_gone(item)
            case Send(identity, envelope):
                self._outbox.send(identity, envelope)
            case Greeted(session, identity):
                self._peers.sessions.greet_data(session, identity)
            case Verified(job, problem):
                self._engine.verified(job, problem)
            case Checked():
                self._answering(item.route, lambda: self._accept(item))
            case Asked(route, _, body):
                self._answering(route, lambda: self._answer_to(body))

    def _told_unforeseen(self, item: ToControl) -> None:
        if isinstance(item, (Checked, Asked)):
            self._send(item.route, error_message(unforeseen(), item.route.re))

    def _answering(self, route: Route, handler: Callable[[], Body]) -> None:
        try:
            self._reply(route, handler())
        except UnderpaintError as error:
            self._send(route, error_message(told_to(route.minor, error), route.re))

    def _reply(self, route: Route, body: Body) -> None:
        self._send(route, message(body, re=route.re))

    def _send(self, route: Route, envelope: Envelope) -> None:
        if route.channel is Channel.CONTROL:
            self._outbox.send(route.identity, envelope)
        else:
            self._data.put(Send(route.identity, envelope))

    # ---- handlers ---------------------------------------------------------------------------

    def _accept(self, item: Checked) -> Body:
        try:
            job, duplicate = self._engine.submit(item)
        except UnderpaintError:
            if self._store.get(item.job) is None:
                self._data.put(Ended(item.job))  # nothing to keep its buffers for
            raise
        if duplicate and job.state.terminal:
            self._data.put(Ended(item.job))
        return Accepted(self._engine.info(job), duplicate)

    def _answer_to(self, body: Body) -> Body:
        return self._shutdown(body) if isinstance(body, Shutdown) else self._answers.to(body)

    def _shutdown(self, body: Shutdown) -> Body:
        log.info("shutdown asked for: %s", body.when)
        self._engine.draining, self._hands_over = True, self._engine.running is not None
        if body.when is ShutdownWhen.NOW:
            self._stopping = True
        return Bye()
