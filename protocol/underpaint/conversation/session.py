"""The client's one I/O thread: it owns the sockets, finds the daemon, and finds it again.

    absent → starting → handshaking → ready ↔ degraded → lost → handshaking …

Callers hand over messages and get futures; nothing but this thread touches a ZeroMQ socket.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from pathlib import Path

import zmq

from ..errors import ErrorCode, ProtocolError, UnderpaintError, error_from_dict
from ..launcher import ensure_daemon, running_connection
from ..paths import Paths
from ..version import VERSION
from ..wire import limits, shared
from ..wire.connection import Connection
from ..wire.envelope import Buffer, Envelope, encode, new_id
from ..wire.message_types import Channel, message, parse
from ..wire.messages import Body, Error, Hello, HelloOk, Ping, Pong
from .link import Link
from .outstanding import Asked, Outstanding, Reply
from .standing import Standing, absent, closed, silent
from .state import ClientState, Listener
from .waker import Waker

PING_S = 1.0
DEGRADED_S = 3.0
LOST_S = 10.0
HANDSHAKE_S = limits.HANDSHAKE_MS / 1000
TICK_S = 0.25
MAX_RESTARTS = 3
FAREWELL_MS = 200
"""What was just said, such as an acknowledgement, may take so long to leave at close."""


class Session:
    """One client's thread. `open` once; `post` from any thread; `close` when done."""

    def __init__(self, paths: Paths, listener: Listener, *, start: bool, client: str) -> None:
        self.id = new_id()
        self._paths = paths
        self._listener = listener
        self._client = client
        self._may_start = self._start_wanted = start
        self._restarts = 0
        self._standing = Standing()
        self._outstanding = Outstanding()
        self._hellos: set[str] = set()
        self._unanswered: str | None = None
        self._epoch: str | None = None
        self._link: Link | None = None
        self._start_failed: UnderpaintError | None = None
        self._next_try = self._heard = self._pinged = 0.0
        self._closing = threading.Event()
        self._waker = Waker()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=2)
        self._thread = threading.Thread(target=self._run, name="underpaint-client", daemon=True)

    def open(self) -> None:
        """Start the thread."""
        self._thread.start()

    # ---- from any thread -------------------------------------------------------------------

    @property
    def state(self) -> ClientState:
        return self._standing.state

    @property
    def why(self) -> UnderpaintError:
        """Why the daemon cannot be reached, while it cannot."""
        return self._standing.why

    @property
    def epoch(self) -> str | None:
        """The epoch of the daemon that last said hello."""
        return self._epoch

    @property
    def shared_folder(self) -> Path | None:
        """The folder in memory that the present daemon shares with us, if it does."""
        link = self._link
        return None if link is None else shared.usable(link.connection.shared)

    @property
    def unreachable_for(self) -> float:
        """Seconds since the daemon was last reachable; 0 while it is."""
        return self._standing.unreachable_for

    def post(self, channel: Channel, body: Body, buffers: tuple[Buffer, ...] = ()) -> Future[Reply]:
        """Send as soon as there is a daemon; the future gets the reply, or its error.

        Raises ProtocolError at once when the message is too large.
        """
        return self._put(channel, body, buffers, answered=True)

    def tell(self, channel: Channel, body: Body) -> None:
        """Send what has no reply."""
        self._put(channel, body, (), answered=False)

    def _put(
        self, channel: Channel, body: Body, buffers: tuple[Buffer, ...], *, answered: bool
    ) -> Future[Reply]:
        envelope = message(body, buffers=buffers)
        asked = Asked(envelope.id, channel, encode(envelope), answered)
        if self._closing.is_set():
            asked.settle(closed())
        else:
            self._outstanding.put(asked)
            self._waker.wake()
        return asked.future

    def want_daemon(self) -> None:
        """Start the daemon if it is not there and this client may."""
        if self._may_start and not self.state.reachable and self._standing.hope():
            self._start_wanted, self._start_failed = True, None
            self._waker.wake()

    def wait_ready(self, timeout: float) -> bool:
        """Wait until the daemon can be talked to. False when it cannot, see `why`."""
        return self._standing.wait_reachable(timeout)

    def close(self) -> None:
        """End the thread and drop the sockets. What waits fails."""
        self._closing.set()
        self._waker.wake()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    # ---- in the I/O thread -----------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._advance(time.monotonic())
                self._send_posted()
                self._wait()
                self._take_received()
        finally:
            self._send_posted()
            self._drop_link(FAREWELL_MS)
            self._standing.why = closed()
            self._standing.change(ClientState.CLOSED, hopeless=True)
            self._outstanding.fail(closed(), only_sent=False)
            self._context.term()
            self._waker.close()

    def _advance(self, now: float) -> None:
        if self._link is None:
            if now >= self._next_try or self._start_wanted:
                self._find_daemon()
            return
        quiet = now - self._heard
        if broken := self._link.broken():
            self._lose(broken)
        elif self._hellos:
            if quiet > HANDSHAKE_S:
                self._lose(silent("the daemon does not answer hello"))
        elif quiet > LOST_S:
            self._lose(silent("the daemon has stopped answering"))
        else:
            self._standing.change(ClientState.DEGRADED if quiet > DEGRADED_S else ClientState.READY)
            self._ping(self._link, now)

    def _ping(self, link: Link, now: float) -> None:
        # Silence is not answered with more pings: they would all arrive at once afterwards.
        if now - self._pinged >= PING_S and (now - self._heard < DEGRADED_S):
            self._pinged = now
            link.send(Channel.CONTROL, encode(message(Ping())))

    def _find_daemon(self) -> None:
        self._next_try = time.monotonic() + TICK_S
        try:
            connection = self._connection()
        except UnderpaintError as error:
            # Until another start is wanted: the next looks find no daemon, and that says less.
            self._start_failed = error if self._start_wanted else self._start_failed
            self._give_up(error)
        else:
            if connection is None:
                self._give_up(self._start_failed or absent())
            else:
                self._connect(connection)

    def _connection(self) -> Connection | None:
        found = running_connection(self._paths)
        if found is not None and not (self._start_wanted and found.epoch == self._unanswered):
            return found
        if not self._should_start():
            return None
        self._standing.change(ClientState.STARTING)
        return ensure_daemon(self._paths, cancelled=self._closing.is_set)

    def _should_start(self) -> bool:
        if self._start_wanted:
            return True
        # A daemon that stops in good order removes its file: a file left over means a crash.
        crashed = self._paths.connection_file.exists()
        if not (self._may_start and crashed and self._listener.needs_daemon()):
            return False
        self._restarts += 1
        return self._restarts <= MAX_RESTARTS

    def _give_up(self, error: UnderpaintError) -> None:
        self._start_wanted = False
        self._standing.why = error
        self._standing.change(ClientState.ABSENT, hopeless=True)
        self._outstanding.fail(error, only_sent=False)

    def _connect(self, connection: Connection) -> None:
        self._heard, self._start_failed = time.monotonic(), None
        self._standing.change(ClientState.HANDSHAKING)
        self._link = Link(self._context, connection)
        for channel in Channel:
            greeting = message(Hello(self.id, self._client, VERSION))
            self._hellos.add(greeting.id)
            self._link.send(channel, encode(greeting))

    def _lose(self, error: UnderpaintError) -> None:
        if self._hellos and self._link is not None:
            self._unanswered = self._link.connection.epoch
        self._drop_link()
        self._standing.why = error
        self._next_try = time.monotonic() + TICK_S
        final = error.code is not ErrorCode.DAEMON_LOST
        self._standing.change(ClientState.LOST, hopeless=final)
        self._outstanding.fail(error, only_sent=not final)

    def _drop_link(self, linger_ms: int = 0) -> None:
        self._hellos.clear()
        if self._link is not None:
            self._link.close(linger_ms)
            self._link = None

    def _wait(self) -> None:
        poller = zmq.Poller()
        self._waker.register(poller)
        if self._link is not None:
            self._link.register(poller)
        poller.poll(int(TICK_S * 1000))
        self._waker.clear()

    def _send_posted(self) -> None:
        if self._link is not None and not self._hellos:
            for asked in self._outstanding.unsent():
                self._link.send(asked.channel, asked.frames)
        if self._link is not None:
            self._link.flush()

    def _take_received(self) -> None:
        link = self._link
        if link is None:
            return
        for envelope in link.receive():
            self._heard = time.monotonic()
            self._take(envelope)
            if self._link is not link:
                return

    def _take(self, envelope: Envelope) -> None:
        try:
            body = parse(envelope)
        except ProtocolError as error:
            # A newer daemon's message, or a broken one: its asker, if any, must hear of it.
            body = Error(error.to_dict())
        if envelope.re in self._hellos:
            self._hellos.remove(envelope.re)
            self._take_hello(body)
        elif not self._outstanding.settle(envelope.re, body, envelope.buffers) and not isinstance(
            body, (Pong, Error)
        ):
            self._listener.received(Reply(body, envelope.buffers))

    def _take_hello(self, body: Body) -> None:
        if isinstance(body, Error):
            self._lose(error_from_dict(body.error))
        elif not isinstance(body, HelloOk):
            self._lose(silent("the daemon answered hello with something else"))
        elif not self._hellos:
            self._epoch, self._unanswered = body.epoch, None
            self._start_wanted = False
            self._standing.change(ClientState.READY)
            self._listener.connected()
