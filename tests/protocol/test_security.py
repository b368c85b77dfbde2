"""Peers that are not authorised, on real sockets: nothing of theirs reaches the handler."""

from __future__ import annotations

import socket as plain_socket
import time
from dataclasses import replace

import pytest
import zmq

import underpaint
from underpaint.errors import ConnectionLost, ErrorCode
from underpaint.wire import message_types
from underpaint.wire import messages as m
from underpaint.wire.connection import write_connection
from underpaint.wire.envelope import decode, encode
from underpaint.wire.message_types import Channel
from underpaint.wire.security import client_socket, new_keys, receive, send

WAIT_MS = 700
PATIENCE_MS = 60_000
"""After so long a test fails, saying where, instead of waiting without end."""


@pytest.fixture
def context():
    with zmq.Context() as context:
        context.setsockopt(zmq.SNDTIMEO, PATIENCE_MS)  # of every socket that it makes
        context.setsockopt(zmq.RCVTIMEO, PATIENCE_MS)
        yield context
        context.destroy(linger=0)


def _says_hello(socket, daemon) -> bool:
    """Whether a hello on this socket is answered."""
    with socket:
        if not socket.poll(WAIT_MS, zmq.POLLOUT):
            return False
        hello = encode(message_types.message(m.Hello("s", "intruder", "0")))
        try:
            socket.send_multipart(hello, zmq.DONTWAIT)
        except zmq.Again:  # it could send for a moment, until the daemon closed the door
            return False
        return bool(socket.poll(WAIT_MS))


def test_the_connection_file_opens_both_sockets(daemon, context):
    for channel in Channel:
        assert _says_hello(client_socket(context, channel, daemon.connection), daemon)
    assert len(daemon.heard) == 2


@pytest.mark.parametrize("channel", list(Channel))
def test_a_peer_without_curve_is_not_heard(daemon, context, channel):
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)  # or its hello, never delivered, would hold the context
    socket.connect(getattr(daemon.connection, channel.value))
    assert not _says_hello(socket, daemon)
    assert daemon.heard == []


@pytest.mark.parametrize("channel", list(Channel))
def test_a_client_key_that_is_not_ours_is_not_heard(daemon, context, channel):
    """CURVE alone would let it in: it knows the server's public key."""
    stranger = new_keys()
    connection = replace(
        daemon.connection, client_key=stranger.public, client_secret=stranger.secret
    )
    assert not _says_hello(client_socket(context, channel, connection), daemon)
    assert daemon.heard == []


@pytest.mark.parametrize("channel", list(Channel))
def test_a_wrong_server_key_meets_nobody(daemon, context, channel):
    connection = replace(daemon.connection, server_key=new_keys().public)
    assert not _says_hello(client_socket(context, channel, connection), daemon)
    assert daemon.heard == []


def test_a_browser_is_not_heard(daemon):
    host, port = daemon.connection.control.removeprefix("tcp://").split(":")
    with plain_socket.create_connection((host, int(port))) as browser:
        browser.sendall(b"POST /submit HTTP/1.1\r\nHost: localhost\r\n\r\n{}")
        browser.settimeout(1)
        try:
            answered = browser.recv(4096)
        except ConnectionResetError:
            answered = b""
    assert b"HTTP" not in answered
    assert daemon.heard == []


@pytest.mark.parametrize("wrong", ["client", "server"])
def test_a_client_with_wrong_keys_is_told(daemon, paths, wrong):
    keys = new_keys()
    if wrong == "client":
        change = {"client_key": keys.public, "client_secret": keys.secret}
    else:
        change = {"server_key": keys.public}
    write_connection(paths.connection_file, replace(daemon.connection, **change))
    began = time.monotonic()
    with pytest.raises(ConnectionLost) as refused:
        underpaint.connect(paths, start=False, timeout=120)
    assert refused.value.code is ErrorCode.NOT_AUTHORISED
    assert "connection file" in refused.value.hint
    assert time.monotonic() - began < 100, "at the refusal, not when patience ends"
    assert daemon.heard == []


def test_malformed_messages_are_answered_and_do_no_harm(daemon, context):
    with client_socket(context, Channel.CONTROL, daemon.connection) as socket:
        assert socket.poll(5000, zmq.POLLOUT)
        bad = [
            [b"XXP9", b"\x80"],
            [b"UPT1"],
            [b"UPT1", b"\xc1"],
            [b""] * 500,
            [b"UPT1", b"\x80" * 70000],
        ]
        for frames in bad:
            socket.send_multipart(frames)
            assert socket.poll(5000)
            answer = message_types.parse(receive(socket))
            assert isinstance(answer, m.Error)
            assert answer.error["hint"]
        send(socket, message_types.message(m.Ping()))
        assert socket.poll(5000)
        assert message_types.parse(receive(socket)).error["code"] == ErrorCode.HELLO_REQUIRED
        send(socket, message_types.message(m.Hello("s", "good", "0")))
        assert socket.poll(5000)
        assert isinstance(message_types.parse(receive(socket)), m.HelloOk)
    assert [type(body) for body in daemon.heard] == [m.Ping, m.Hello]


def test_a_frame_beyond_the_sockets_limit_costs_the_sender_its_connection(daemon, paths, context):
    with client_socket(context, Channel.CONTROL, daemon.connection) as socket:
        assert socket.poll(5000, zmq.POLLOUT)
        socket.send_multipart([b"UPT1", b"\x80", bytes(2 * 1024 * 1024)])
        assert not socket.poll(500)
    assert daemon.heard == []
    with underpaint.connect(paths, start=False) as up:
        assert up.ping()


def test_what_goes_over_the_wire_cannot_be_read(daemon, context):
    """A tap on the line sees neither header nor buffer."""
    secret = b"a prompt that nobody should read"
    seen = bytearray()
    host, port = daemon.connection.data.removeprefix("tcp://").split(":")
    with plain_socket.create_server(("127.0.0.1", 0)) as tap:
        tap.settimeout(PATIENCE_MS / 1000)
        tapped = replace(daemon.connection, data=f"tcp://127.0.0.1:{tap.getsockname()[1]}")
        with client_socket(context, Channel.DATA, tapped) as socket:
            inner, _ = tap.accept()
            outer = plain_socket.create_connection((host, int(port)))
            with inner, outer:
                line = _Line(inner, outer, seen)
                line.flow_until(lambda: socket.poll(0, zmq.POLLOUT))
                hello = message_types.message(m.Hello("s", secret.decode(), "0"))
                socket.send_multipart(encode(hello), zmq.DONTWAIT)
                line.flow_until(lambda: socket.poll(0))
                answer = message_types.parse(decode(socket.recv_multipart(zmq.DONTWAIT)))
            assert isinstance(answer, m.HelloOk)
    assert len(seen) > 300
    assert secret not in seen
    assert b"UPT1" not in seen


class _Line:
    """Two ends joined by hand; `seen` gets every byte that passes."""

    def __init__(self, one, other, seen: bytearray) -> None:
        self._one, self._other, self._seen = one, other, seen

    def flow_until(self, reached) -> None:
        """Pass on what comes until something is so."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not reached():
            assert time.monotonic() < deadline, "nothing came through the tap"
            self._pass_on(self._one, self._other)
            self._pass_on(self._other, self._one)

    def _pass_on(self, source, target) -> None:
        source.settimeout(0.02)
        try:
            data = source.recv(65536)
        except TimeoutError:
            return
        assert data, "one end hung up"
        target.settimeout(PATIENCE_MS / 1000)
        target.sendall(data)
        self._seen += data
