"""The connection file: private, whole, and clear about what is wrong with it."""

from __future__ import annotations

import json
import os
import sys
import threading

import pytest

from underpaint.errors import ConnectionLost, ErrorCode, ProtocolError
from underpaint.wire.connection import (
    Connection,
    process_alive,
    read_connection,
    remove_connection,
    write_connection,
)
from underpaint.wire.security import new_keys

KEYS = new_keys()


def connection(epoch: str = "e1") -> Connection:
    return Connection(
        "tcp://127.0.0.1:1", "tcp://127.0.0.1:2", KEYS.public, KEYS.public, KEYS.secret, 1, epoch
    )


@pytest.fixture
def file(paths):
    return paths.connection_file


def test_it_reads_as_it_was_written(file):
    write_connection(file, connection())
    assert read_connection(file) == connection()


def test_the_secret_does_not_show_in_logs():
    assert KEYS.secret not in repr(connection())
    assert KEYS.secret not in repr(KEYS)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_its_user_can_read_it(file):
    write_connection(file, connection())
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.chmod(0o644)
    with pytest.raises(ConnectionLost) as open_to_all:
        read_connection(file)
    assert open_to_all.value.code is ErrorCode.NOT_AUTHORISED
    assert "other users" in open_to_all.value.message


def test_readers_never_see_half_a_file(file):
    write_connection(file, connection("e0"))
    stop = threading.Event()

    def rewrite() -> None:
        for i in range(80):
            write_connection(file, connection(f"e{i}"))
        stop.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    seen = set()
    while not stop.is_set():
        seen.add(read_connection(file).epoch)
    writer.join()
    assert len(seen) > 1
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_no_file_means_no_daemon(file):
    with pytest.raises(ConnectionLost) as absent:
        read_connection(file)
    assert absent.value.code is ErrorCode.DAEMON_ABSENT


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"major": 1}', '{"major": 1, "control": 5}', "\ud83d"],
)
def test_a_damaged_file_says_what_to_do(file, text):
    write_connection(file, connection())
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConnectionLost) as damaged:
        read_connection(file)
    assert damaged.value.code is ErrorCode.NOT_AUTHORISED
    assert "start it again" in damaged.value.hint


def test_a_key_of_the_wrong_length_is_refused(file):
    write_connection(file, connection())
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "client_secret": "short"}))
    with pytest.raises(ConnectionLost, match="not a CURVE key"):
        read_connection(file)


def test_another_major_version_is_named(file):
    write_connection(file, connection())
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "major": 2}))
    with pytest.raises(ProtocolError) as other:
        read_connection(file)
    assert other.value.code is ErrorCode.PROTOCOL_VERSION


def test_a_daemon_removes_only_its_own_file(file):
    write_connection(file, connection("mine"))
    remove_connection(file, "another")
    assert file.exists()
    remove_connection(file, "mine")
    assert not file.exists()
    remove_connection(file, "mine")


def test_living_and_dead_processes_are_told_apart():
    assert process_alive(os.getpid())
    assert not process_alive(2**22 + 1)
