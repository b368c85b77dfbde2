"""CURVE and ZAP, and the socket options that go with them.

CURVE alone lets in every client that knows the server's public key, so the server also checks
client keys by ZAP. The ZAP domain is set on the sockets and served for exactly that name: with an
empty domain libzmq skips ZAP altogether, and a handler for another domain refuses everybody.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import zmq
from zmq.utils import z85

from . import limits
from .connection import Connection
from .envelope import Bytes, Envelope, decode, encode
from .message_types import Channel

ZAP_DOMAIN = b"underpaint"
_ZAP_ENDPOINT = "inproc://zeromq.zap.01"
_ZAP_VERSION = b"1.0"
_COPY_BELOW = 65536
_MAX_FRAME = {
    Channel.CONTROL: limits.MAX_CONTROL_FRAME,
    Channel.DATA: limits.MAX_DATA_FRAME,
}
_HWM = {Channel.CONTROL: limits.HWM_CONTROL, Channel.DATA: limits.HWM_DATA}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE key pair, Z85 text."""

    public: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyPair({self.public})"


def new_keys() -> KeyPair:
    """A fresh CURVE key pair."""
    public, secret = zmq.curve_keypair()
    return KeyPair(public.decode(), secret.decode())


def server_socket(
    context: zmq.Context[zmq.Socket[bytes]], channel: Channel, keys: KeyPair
) -> zmq.Socket[bytes]:
    """A ROUTER, not bound yet. Start an `Authenticator` on the context before binding."""
    socket = context.socket(zmq.ROUTER)
    _common(context, socket, channel)
    socket.setsockopt(zmq.LINGER, 1000)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public.encode())
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret.encode())
    return socket


def client_socket(
    context: zmq.Context[zmq.Socket[bytes]], channel: Channel, connection: Connection
) -> zmq.Socket[bytes]:
    """A DEALER with the connection file's keys, connecting."""
    socket = context.socket(zmq.DEALER)
    _common(context, socket, channel)
    socket.setsockopt(zmq.LINGER, 0)
    # A message must not wait in the pipe for a daemon that comes back with other jobs in mind.
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.setsockopt(zmq.CURVE_SERVERKEY, connection.server_key.encode())
    socket.setsockopt(zmq.CURVE_PUBLICKEY, connection.client_key.encode())
    socket.setsockopt(zmq.CURVE_SECRETKEY, connection.client_secret.encode())
    socket.connect(connection.control if channel is Channel.CONTROL else connection.data)
    return socket


def _common(
    context: zmq.Context[zmq.Socket[bytes]], socket: zmq.Socket[bytes], channel: Channel
) -> None:
    # libzmq ciphers in its I/O threads: in the same one, control would wait for bulk.
    if int(context.get(zmq.IO_THREADS)) > 1:
        socket.setsockopt(zmq.AFFINITY, 1 if channel is Channel.CONTROL else 2)
    socket.setsockopt(zmq.MAXMSGSIZE, _MAX_FRAME[channel])
    socket.setsockopt(zmq.SNDHWM, _HWM[channel])
    socket.setsockopt(zmq.RCVHWM, _HWM[channel])
    socket.setsockopt(zmq.HEARTBEAT_IVL, limits.HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, limits.HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.HANDSHAKE_IVL, limits.HANDSHAKE_MS)


def send(socket: zmq.Socket[bytes], envelope: Envelope, identity: bytes | None = None) -> None:
    """Send without blocking, large buffers without copying. `identity`: a ROUTER's peer.

    Raises zmq.Again when the peer's queue is full, zmq.ZMQError(EHOSTUNREACH) when it is gone.
    """
    frames = encode(envelope)
    send_frames(socket, frames if identity is None else [identity, *frames])


def send_frames(socket: zmq.Socket[bytes], frames: Sequence[Bytes]) -> None:
    """Send encoded frames; as `send`. The buffers must not change before they are out."""
    socket.send_multipart(frames, zmq.NOBLOCK, copy=False, copy_threshold=_COPY_BELOW)


def receive_frames(socket: zmq.Socket[bytes]) -> list[memoryview]:
    """The frames of one waiting message, uncopied. Raises zmq.Again when there is none."""
    return [frame.buffer for frame in socket.recv_multipart(zmq.NOBLOCK, copy=False)]


def receive(socket: zmq.Socket[bytes]) -> Envelope:
    """One waiting message of a DEALER. Raises zmq.Again, ProtocolError."""
    return decode(receive_frames(socket))


class Authenticator:
    """Answers ZAP for one context: only the given client keys get in.

    One thread with one REP socket. Everything that is not CURVE, for our domain, with an allowed
    key is refused before any message reaches a handler.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], allowed: Collection[str]) -> None:
        self._allowed = frozenset(z85.decode(key.encode()) for key in allowed)
        self._socket = context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(_ZAP_ENDPOINT)
        self._stop = context.socket(zmq.PAIR)
        self._stop_inner = context.socket(zmq.PAIR)
        endpoint = f"inproc://underpaint-zap-stop-{id(self)}"
        self._stop_inner.bind(endpoint)
        self._stop.connect(endpoint)
        self._thread = threading.Thread(target=self._run, name="underpaint-zap", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering; later handshakes fail."""
        with contextlib.suppress(zmq.ZMQError):
            self._stop.send(b"", zmq.NOBLOCK)
        self._thread.join()
        self._stop.close(0)

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._stop_inner, zmq.POLLIN)
        while self._stop_inner not in dict(poller.poll()):
            self._socket.send_multipart(self._answer(self._socket.recv_multipart()))
        self._socket.close(0)
        self._stop_inner.close(0)

    def _answer(self, frames: Sequence[bytes]) -> list[bytes]:
        request_id = frames[1] if len(frames) > 1 else b""
        good = self._allows(frames)
        status, text = (b"200", b"OK") if good else (b"400", b"not authorised")
        return [_ZAP_VERSION, request_id, status, text, b"", b""]

    def _allows(self, frames: Sequence[bytes]) -> bool:
        if len(frames) != 7:
            return False
        version, _request, domain, _address, _identity, mechanism, key = frames
        return (
            version == _ZAP_VERSION
            and domain == ZAP_DOMAIN
            and mechanism == b"CURVE"
            and key in self._allowed
        )
