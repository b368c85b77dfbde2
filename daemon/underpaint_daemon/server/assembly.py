"""Puts the daemon together, runs it, takes it apart."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import zmq

from underpaint.wire.connection import Connection, remove_connection, write_connection
from underpaint.wire.message_types import Channel
from underpaint.wire.security import Authenticator, KeyPair, new_keys, server_socket

from ..common.staging import Settler, Staging, make_staging
from . import logs
from .config import Config
from .jobs.database import wal_checkpoint
from .jobs.engine import Engine
from .jobs.results import Folders
from .jobs.store import Store
from .lifecycle import Identity, authorised_keys, check_bind, lock_folder, new_identity
from .sockets.control import ControlThread
from .sockets.data import DataThread
from .sockets.mailbox import Mailbox
from .sockets.outbox import Outbox
from .sockets.peers import Peers
from .supervisor import Supervisor
from .thread_messages import Stop, ToControl, ToData

log = logging.getLogger("server")
_SWITCH_SECONDS = 0.001
_DATA_STOP_SECONDS = 5.0


def serve(config: Config) -> int:
    """Run the daemon until it is told to end. Returns the exit code.

    Raises ConnectionLost(DAEMON_START_FAILED) when another daemon serves the same folders,
    RequestError for an address that it may not bind to.
    """
    host = check_bind(config.bind)
    with ExitStack() as stack:
        stack.enter_context(lock_folder(config.paths))
        handler = logs.log_to(config.paths.logs)
        stack.callback(handler.close)
        # The control thread must get its turn within a millisecond or two of asking.
        sys.setswitchinterval(_SWITCH_SECONDS)
        keys, client = new_keys(), new_keys()
        # One I/O thread for each socket, see `security`.
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=2)
        stack.callback(context.term)
        allowed = [client.public, *authorised_keys(config.paths, config.bind)]
        stack.callback(Authenticator(context, allowed).close)
        control = stack.enter_context(_bound(context, Channel.CONTROL, keys, host))
        data = stack.enter_context(_bound(context, Channel.DATA, keys, host))
        _run(config, stack, control, data, (keys, client))
    log.info("the daemon has ended")
    return 0


@contextmanager
def _bound(
    context: zmq.Context[zmq.Socket[bytes]], channel: Channel, keys: KeyPair, host: str
) -> Iterator[zmq.Socket[bytes]]:
    socket = server_socket(context, channel, keys)
    socket.setsockopt(zmq.IPV6, int(host.startswith("[")))
    try:
        socket.bind(f"tcp://{host}:*")
        yield socket
    finally:
        socket.close()


def _run(
    config: Config,
    stack: ExitStack,
    control: zmq.Socket[bytes],
    data: zmq.Socket[bytes],
    keys: tuple[KeyPair, KeyPair],
) -> None:
    """Build both threads, say where we are, and run until the control thread's loop ends."""
    identity = new_identity()
    to_control: Mailbox[ToControl] = Mailbox()
    to_data: Mailbox[ToData] = Mailbox()
    table = config.paths.data / "jobs.db"
    store = Store(table)
    stack.callback(store.close)
    staging = make_staging(config.paths.data)
    supervisor = Supervisor(config, staging, to_control.put)
    peers = Peers(Outbox(control), to_data)
    engine = Engine(config, store, Folders(staging), supervisor, peers)
    data_thread = DataThread(config, data, staging, identity, to_data, to_control)
    control_thread = ControlThread(
        config, control, store, engine, supervisor, peers, identity, to_control, to_data
    )
    for number in _ends():
        signal.signal(number, lambda _number, _frame: control_thread.stop())
    settler = Settler(
        staging, lambda: time.monotonic() - data_thread.heard_at, lambda: wal_checkpoint(table)
    )
    stack.callback(settler.close)
    thread = threading.Thread(target=data_thread.run, name="underpaint-data", daemon=True)
    thread.start()
    _announce(config, stack, identity, (control, data), keys, staging)
    try:
        control_thread.run(lambda: data_thread.heard_at)
    finally:
        to_data.put(Stop())
        thread.join(_DATA_STOP_SECONDS)


def _ends() -> list[int]:
    """The signals that end the daemon in order. That a terminal was closed, `nohup` may forbid."""
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is None or signal.getsignal(hang_up) is signal.SIG_IGN:
        return [signal.SIGTERM, signal.SIGINT]
    return [signal.SIGTERM, signal.SIGINT, hang_up]


def _announce(
    config: Config,
    stack: ExitStack,
    identity: Identity,
    sockets: tuple[zmq.Socket[bytes], zmq.Socket[bytes]],
    keys: tuple[KeyPair, KeyPair],
    staging: Staging,
) -> None:
    server, client = keys
    control, data = (_reachable(socket) for socket in sockets)
    path = config.paths.connection_file
    connection = Connection(
        control=control,
        data=data,
        server_key=server.public,
        client_key=client.public,
        client_secret=client.secret,
        pid=identity.pid,
        epoch=identity.epoch,
        shared="" if staging.fast is None else str(staging.fast),
    )
    write_connection(path, connection)
    stack.callback(remove_connection, path, identity.epoch)
    log.info("daemon %s serves %s, process %d", identity.version, control, identity.pid)


def _reachable(socket: zmq.Socket[bytes]) -> str:
    """Where a client on this machine connects to."""
    endpoint = socket.getsockopt(zmq.LAST_ENDPOINT)
    text = endpoint.decode() if isinstance(endpoint, bytes) else str(endpoint)
    text = text.rstrip("\0")
    return text.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
