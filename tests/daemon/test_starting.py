"""A job whose worker is still starting: what a large library takes on a slow machine."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from underpaint.conversation.usual import PAINTER, usual_s
from underpaint.errors import ErrorCode
from underpaint.events import Done, Progress
from underpaint.requests import ImageRequest, Prompt
from underpaint.tree import to_json
from underpaint.wire.messages import JobState
from underpaint_daemon.common.staging import make_staging
from underpaint_daemon.server.config import Config
from underpaint_daemon.server.supervisor import FromWorker, Supervisor

from helpers.daemon.real_daemon import Daemon, wait_for
from helpers.processes import held, with_helpers

SPOT = Path(__file__).parents[1] / "data" / "spot.obj"
RUNNER = "helpers.daemon.small_runners:build_when_let"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a named pipe in a folder")


@pytest.fixture
def slow_daemon(idle_daemon: Daemon) -> Daemon:
    """Its worker is deaf from its first job on, until `let` is called."""
    idle_daemon.paths.data.mkdir(parents=True)
    os.mkfifo(idle_daemon.paths.data / "gate")
    return idle_daemon.start("--runner", RUNNER)


def let(daemon: Daemon, gate: str = "gate") -> None:
    (daemon.paths.data / gate).write_bytes(b"")


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
    wanted = up.submit(asked("steps=1 seconds=0.2 name=wanted"))
    let(slow_daemon)
    assert wanted.result(120)
    assert up.status().worker_pid == worker
    assert slow_daemon.runs()[-1] == "steps=1 seconds=0.2 name=wanted|0"

    usual = usual_s(slow_daemon.paths, PAINTER)
    assert usual is not None
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: up.status().worker_pid not in (worker, None))
    os.mkfifo(slow_daemon.paths.data / "model")
    events = up.submit(asked("steps=2 pipe=model")).events()
    told = next(event for event in events if isinstance(event, Progress))
    assert told.phase == "starting"
    assert told.eta_s is not None
    assert 0 < told.eta_s <= usual
    let(slow_daemon)
    told = next(event for event in events if isinstance(event, Progress))
    assert told.phase == "loading"
    assert told.eta_s is not None, "it was loaded before, by another worker"
    let(slow_daemon, "model")
    assert isinstance(list(events)[-1], Done)


def test_a_job_is_cancelled_at_once_while_its_model_loads_and_the_next_one_runs_there(
    daemon: Daemon,
):
    up, model = daemon.client(), daemon.paths.data / "model"
    os.mkfifo(model)
    unwanted = up.submit(asked("steps=1 pipe=model"))
    wait_for(lambda: unwanted.info.progress and unwanted.info.progress.phase == "loading", 60)
    worker = up.status().worker_pid
    assert unwanted.cancel() is JobState.RUNNING
    assert list(unwanted)[-1].error.code is ErrorCode.CANCELLED
    second = up.submit(asked("steps=1 name=second"))
    wait_for(lambda: second.info.state is JobState.STARTING)
    assert second.cancel() is JobState.STARTING
    assert list(second)[-1].error.code is ErrorCode.CANCELLED
    wanted = up.submit(asked("steps=1 name=wanted"))
    let(daemon, "model")
    assert wanted.result(120)
    assert up.status().worker_pid == worker
    assert daemon.runs()[-1] == "steps=1 name=wanted|0"


def test_the_next_job_does_not_pay_for_a_worker_that_dies_loading_what_nobody_wants(
    daemon: Daemon,
):
    up, model = daemon.client(), daemon.paths.data / "model"
    os.mkfifo(model)
    unwanted = up.submit(asked("steps=1 pipe=model"))
    wait_for(lambda: unwanted.info.progress and unwanted.info.progress.phase == "loading")
    unwanted.cancel()
    assert list(unwanted)[-1].error.code is ErrorCode.CANCELLED
    wanted = up.submit(asked("steps=1 name=wanted"))
    wait_for(lambda: wanted.info.state is JobState.STARTING)
    os.kill(up.status().worker_pid, signal.SIGKILL)
    assert wanted.result(300)
    assert wanted.info.warnings == ()


@pytest.fixture
def closed_terminals_end_programs() -> Iterator[None]:
    """As they do, but under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def begun(
    daemon: Daemon, *words: str, measured: bool = True
) -> AbstractContextManager[subprocess.Popen[str]]:
    """A command whose output is no terminal. `measured`: by coverage, where that runs; it takes
    SIGTERM for itself."""
    env = {k: v for k, v in daemon.env.items() if measured or not k.startswith("COVERAGE_")}
    return held(
        subprocess.Popen(
            [sys.executable, "-m", "underpaint.cli.main", *words],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    )


def heard(command: subprocess.Popen[str], words: str) -> None:
    """Read on to a line that begins so."""
    assert command.stderr is not None
    told = []
    for line in command.stderr:
        told.append(line)
        if line.startswith(words):
            return
    pytest.fail(f"{words!r} was not said: {told}")


@pytest.mark.usefixtures("closed_terminals_end_programs")
def test_a_command_says_what_its_job_waits_for_and_takes_it_along_when_it_is_told_to_stop(
    slow_daemon: Daemon, tmp_path: Path
):
    up = slow_daemon.client()
    first = up.submit(asked("steps=1"))
    wait_for((slow_daemon.paths.data / "bringing").exists, 60)
    waits = "waiting: 1 job before it, now starting the painter\n"
    painting = ("--prompt", "steps=1", "--out", str(tmp_path / "out"))
    texture = ("texture", str(SPOT))  # a process behind the one that is told
    for number, *what in (
        (signal.SIGINT, "generate"),
        (signal.SIGTERM, "generate"),
        (signal.SIGHUP, "generate"),
        (signal.SIGTERM, *texture),
    ):
        measured = number != signal.SIGTERM
        with begun(slow_daemon, *what, *painting, measured=measured) as command:
            heard(command, waits)
            command.send_signal(number)
            heard(command, "cancelled\n")
        assert command.returncode == 128 + number
        assert up.jobs(1)[0].state is JobState.CANCELLED
    second = up.submit(asked("steps=1"))
    with begun(slow_daemon, "fetch", second.id, "--out", str(tmp_path)) as command:
        heard(command, waits)
        command.send_signal(signal.SIGINT)
    assert command.returncode == 128 + signal.SIGINT
    assert second.info.state is JobState.QUEUED, "who looks on takes nothing along"
    second.cancel()
    os.mkfifo(slow_daemon.paths.data / "model")
    painting = ("--prompt", "steps=1 pipe=model", "--out", str(tmp_path / "out"))
    with begun(slow_daemon, "generate", *painting) as command:
        heard(command, waits)
        first.cancel()
        heard(command, "starting the painter\n")
        let(slow_daemon)
        heard(command, "loading the model")
        let(slow_daemon, "model")
    assert command.returncode == 0


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


def test_a_start_is_timed_from_the_job_that_waits_for_it(tmp_path, monkeypatch):
    for name, value in with_helpers().items():
        monkeypatch.setenv(name, value)
    paths = Daemon(tmp_path).paths
    paths.data.mkdir(parents=True)
    inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
    supervisor = Supervisor(Config(paths, runner=RUNNER), make_staging(paths.data), inbox.put)
    supervisor.start()
    try:
        run = {"t": "run", "attempt": 1, "request": to_json(asked("steps=1"))}
        supervisor.send({**run, "job": "unwanted"})
        supervisor.note(FromWorker(supervisor.pid, {"t": "ready"}))
        supervisor.note(FromWorker(supervisor.pid, {"t": "cancelled", "job": "unwanted"}))
        later = time.monotonic()
        supervisor.send({**run, "job": "wanted"})
        assert supervisor.coming.began >= later
    finally:
        supervisor.kill()
