"""A job whose worker is still starting: what a large library takes on a slow machine."""

from __future__ import annotations

import os
import queue
import sys
import time

import pytest

from underpaint.errors import ErrorCode
from underpaint.requests import ImageRequest, Prompt
from underpaint.tree import to_json
from underpaint.wire.messages import JobState
from underpaint_daemon.common.staging import make_staging
from underpaint_daemon.server.config import Config
from underpaint_daemon.server.supervisor import FromWorker, Supervisor

from helpers.daemon.real_daemon import Daemon, wait_for
from helpers.processes import with_helpers

RUNNER = "helpers.daemon.small_runners:build_when_let"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a named pipe in a folder")


@pytest.fixture
def slow_daemon(idle_daemon: Daemon) -> Daemon:
    """Its worker is deaf from its first job on, until `let` is called."""
    idle_daemon.paths.data.mkdir(parents=True)
    os.mkfifo(idle_daemon.paths.data / "gate")
    return idle_daemon.start("--runner", RUNNER)


def let(daemon: Daemon) -> None:
    (daemon.paths.data / "gate").write_bytes(b"")


def asked(prompt: str) -> ImageRequest:
    return ImageRequest(Prompt(prompt))


def test_a_job_is_cancelled_at_once_while_its_worker_starts_and_the_next_one_runs_there(
    slow_daemon: Daemon,
):
    up = slow_daemon.client()
    unwanted = up.submit(asked("steps=1 name=unwanted"))
    wait_for((slow_daemon.paths.data / "bringing").exists, 60)
    worker = up.status().worker_pid
    assert unwanted.cancel(hard=True) is JobState.STARTING
    assert list(unwanted)[-1].error.code is ErrorCode.CANCELLED
    enough = up.submit(asked("steps=1 name=enough"))
    wait_for(lambda: enough.info.state is JobState.STARTING)
    assert enough.enough() is JobState.STARTING
    assert list(enough)[-1].error.code is ErrorCode.CANCELLED
    assert up.status().worker == "starting"
    wanted = up.submit(asked("steps=1 name=wanted"))
    let(slow_daemon)
    assert wanted.result(120)
    assert up.status().worker_pid == worker
    assert slow_daemon.runs() == ["steps=1 name=wanted|0"]


def test_a_worker_that_imports_for_long_is_left_to_it(tmp_path, monkeypatch):
    for name, value in with_helpers().items():
        monkeypatch.setenv(name, value)
    paths = Daemon(tmp_path).paths
    paths.data.mkdir(parents=True)
    os.mkfifo(paths.data / "gate")
    inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
    supervisor = Supervisor(Config(paths, runner=RUNNER), make_staging(paths.data), inbox.put)
    supervisor.start()
    try:
        request = to_json(asked("steps=1"))
        supervisor.send({"t": "run", "job": "one", "attempt": 1, "request": request})
        while not supervisor.bringing:
            event = inbox.get(timeout=60)
            assert isinstance(event, FromWorker)
            assert event.message["t"] in ("ready", "beat", "bringing")
            assert supervisor.note(event)
        assert not supervisor.silent(time.monotonic() + 3600)
    finally:
        supervisor.kill()
