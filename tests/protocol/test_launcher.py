"""Finding the daemon and starting it: the real one, in processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import underpaint
from underpaint.conversation.session import TICK_S
from underpaint.errors import ConnectionLost, ErrorCode
from underpaint.launcher import daemon_python, ensure_daemon, record_daemon_python
from underpaint.wire.connection import process_alive, read_connection
from underpaint.wire.locks import FileLock

from helpers.daemon.real_daemon import wait_for


@pytest.fixture
def stopped_after(paths):
    """Whatever daemon these paths have at the end is stopped, and gone."""
    yield paths
    try:
        pid = read_connection(paths.connection_file).pid
    except underpaint.UnderpaintError:
        return
    if process_alive(pid):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 300
    while process_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def script(tmp_path: Path, text: str) -> str:
    file = tmp_path / "python"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def test_racing_clients_start_exactly_one_daemon(stopped_after):
    code = (
        "import sys, underpaint; from pathlib import Path; p = Path(sys.argv[1])\n"
        "paths = underpaint.Paths(p / 'run', p, p / 'cache')\n"
        "with underpaint.connect(paths) as up: print(up.status().pid)"
    )
    data = str(stopped_after.data)
    racers = [
        subprocess.Popen([sys.executable, "-c", code, data], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    pids = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * 4
    assert len(pids) == 1
    # The daemon outlives all who started it.
    assert process_alive(int(pids.pop()))


def test_a_daemon_that_was_killed_is_replaced_and_its_stale_file_does_no_harm(stopped_after):
    first = ensure_daemon(stopped_after)
    assert ensure_daemon(stopped_after).epoch == first.epoch
    os.kill(first.pid, signal.SIGKILL)
    while process_alive(first.pid):
        time.sleep(0.01)
    assert stopped_after.connection_file.exists()
    with underpaint.connect(stopped_after) as up:
        assert up.status().epoch != first.epoch


def test_shutdown_ends_the_process_and_takes_the_file_along(stopped_after):
    with underpaint.connect(stopped_after) as up:
        pid = up.status().pid
        up.shutdown()
        deadline = time.monotonic() + 300
        while process_alive(pid) or stopped_after.connection_file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="uses a shell script")
def test_a_daemon_that_cannot_start_is_quoted(paths, tmp_path, monkeypatch):
    broken = script(tmp_path, "echo some noise >&2; echo 'No module named zmq' >&2; exit 4")
    monkeypatch.setenv("UNDERPAINT_PYTHON", broken)
    with pytest.raises(ConnectionLost) as failed:
        underpaint.connect(paths, timeout=300)
    assert failed.value.code is ErrorCode.DAEMON_START_FAILED
    assert "code 4" in failed.value.message
    assert "No module named zmq" in failed.value.message
    assert "doctor" in failed.value.terminal_hint


def test_a_python_that_is_not_there_is_named(paths, monkeypatch):
    monkeypatch.setenv("UNDERPAINT_PYTHON", "no/such/python")
    with pytest.raises(ConnectionLost, match="no/such/python") as failed:
        ensure_daemon(paths)
    assert failed.value.code is ErrorCode.DAEMON_START_FAILED


@pytest.mark.skipif(sys.platform == "win32", reason="uses a shell script")
def test_a_start_that_takes_too_long_is_given_up_and_can_be_broken_off(
    paths, tmp_path, monkeypatch
):
    monkeypatch.setenv("UNDERPAINT_PYTHON", script(tmp_path, "exec sleep 200"))
    with pytest.raises(ConnectionLost, match="in time"):
        ensure_daemon(paths, timeout=0.3)
    up = underpaint.connect(paths, wait=False)
    deadline = time.monotonic() + 300
    while up.state is not underpaint.ClientState.STARTING:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    began = time.monotonic()
    up.close()
    assert time.monotonic() - began < 100, "it does not wait for what starts"


def test_the_daemons_python_is_the_chosen_then_the_installed_then_this(paths):
    assert daemon_python(paths, {}) == sys.executable
    record_daemon_python(paths, sys.executable + "-gone")
    assert daemon_python(paths, {}) == sys.executable
    installed = paths.data / "py"
    installed.touch()
    record_daemon_python(paths, str(installed))
    assert daemon_python(paths, {}) == str(installed)
    assert daemon_python(paths, {"UNDERPAINT_PYTHON": "mine"}) == "mine"


def test_a_lock_is_held_by_one_until_it_is_released(tmp_path):
    first, second = FileLock(tmp_path / "x.lock"), FileLock(tmp_path / "x.lock")
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()


def test_a_lock_ends_with_the_process_that_holds_it(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from underpaint.wire.locks import FileLock\n"
        "lock = FileLock(Path(sys.argv[1]))\n"
        "print(lock.try_acquire(), flush=True); time.sleep(60)"
    )
    file = tmp_path / "x.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline().strip() == "True"
        assert not FileLock(file).try_acquire()
        holder.kill()
    with FileLock(file) as lock:
        assert lock.try_acquire()


@pytest.mark.skipif(sys.platform == "win32", reason="uses a shell script")
def test_a_client_keeps_saying_why_the_daemon_could_not_be_started(paths, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERPAINT_PYTHON", script(tmp_path, "echo no room >&2; exit 4"))
    with underpaint.connect(paths, wait=False) as up:

        def told() -> bool:
            return up.why is not None and up.why.code is ErrorCode.DAEMON_START_FAILED

        wait_for(told)
        time.sleep(3 * TICK_S)  # it has looked for one since, and found none
        assert told()
        assert "no room" in str(up.why)
        monkeypatch.setenv("UNDERPAINT_PYTHON", script(tmp_path, "echo no luck >&2; exit 4"))
        up.want_daemon()
        wait_for(lambda: "no luck" in str(up.why))
