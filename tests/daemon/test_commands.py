"""The commands about the daemon and its jobs, as they are typed, before a daemon that paints."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from underpaint.cli.main import main
from underpaint.requests import ImageRequest, Prompt
from underpaint.wire.messages import JobState

from helpers.daemon.real_daemon import Daemon, wait_for


def asked(prompt: str) -> ImageRequest:
    return ImageRequest(Prompt(prompt))


@pytest.fixture
def typed(served, monkeypatch, capsys):
    """Type a command; what is read then."""

    def type_(*words: str, daemon: Daemon = served) -> str:
        monkeypatch.setenv("UNDERPAINT_DATA", str(daemon.paths.data))
        assert main(list(words)) == 0
        return capsys.readouterr().out

    return type_


def test_a_daemon_that_runs_says_what_it_does(served, typed):
    up = served.client()
    assert f"process   {served.process.pid}" in typed("daemon", "start")
    job = up.submit(asked("steps=1000 seconds=0.02"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    said = typed("daemon", "status")
    assert f"painting  {job.id}" in said
    assert f"process   {served.process.pid}, painter " in said
    assert "supervisor: worker" in typed("daemon", "logs", "--lines", "40")
    assert len(typed("daemon", "logs", "--lines", "1").splitlines()) == 1
    job.cancel()
    wait_for(lambda: job.ended)


def test_a_cancel_says_what_it_does_where_the_job_is(served, typed):
    up = served.client()
    running = up.submit(asked("steps=1000 seconds=0.02"))
    waiting = up.submit(asked("steps=1 name=waits"))
    wait_for(lambda: running.info.progress and running.info.progress.phase == "denoising")
    assert f"{waiting.id}  cancelled before it began" in typed("cancel", waiting.id)
    assert f"{running.id}  stops at its next step" in typed("cancel", running.id[:12])
    wait_for(lambda: running.ended)
    said = typed("cancel", running.id, "--hard")
    assert said == f"{running.id}  was cancelled already: there is nothing to cancel\n"
    assert "cancelled" in typed("jobs")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a named pipe in a folder")
def test_a_cancel_of_a_job_whose_model_loads_says_that_it_has_ended(served, typed):
    up, model = served.client(), served.paths.data / "model"
    os.mkfifo(model)
    job = up.submit(asked("steps=1 pipe=model"))
    wait_for(lambda: job.info.progress and job.info.progress.phase == "loading")
    assert typed("cancel", job.id) == f"{job.id}  cancelled before anything was painted\n"
    wait_for(lambda: job.ended)
    model.write_bytes(b"")


def test_a_cancel_of_a_job_that_is_done_says_so(served, typed):
    job = served.client().submit(asked("steps=1 name=done"))
    assert job.result(300)
    assert typed("cancel", job.id) == f"{job.id}  was done already: there is nothing to cancel\n"


def test_results_are_fetched_when_they_are_wanted(served, typed, tmp_path: Path):
    job = served.client().submit(asked("steps=1 name=fetched"))
    assert job.result(120)
    said = typed("fetch", job.id[:12], "--out", str(tmp_path / "out"))
    assert said.split() == [str(file) for file in sorted((tmp_path / "out").iterdir())]
    assert f"{job.id}  does not wait any more: done" in typed("jobs", "first", job.id)
    assert "fetched" in typed("jobs")


def test_why_nothing_begins_stands_above_the_jobs(served, typed):
    up = served.client()
    up.queue.yield_gpu(60, "Blender renders")
    assert typed("jobs").splitlines()[0] == "the GPU is left to others: Blender renders"
    up.queue.yield_gpu(0)
    typed("jobs", "pause")
    assert typed("jobs").startswith("the queue is paused")
    assert "goes on" in typed("jobs", "resume")


def test_models_are_listed_with_what_each_can_and_wants(typed):
    said = typed("models")
    assert "starter" in said
    assert "controls: depth" in said
    assert "guidance" in said


def test_a_daemon_that_paints_ends_after_its_picture(daemon, typed):
    job = daemon.client().submit(asked("steps=20 seconds=0.02"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    later = daemon.client().submit(asked("steps=1 seconds=0"))
    said = typed("daemon", "stop", daemon=daemon)
    assert said == f"stops when {job.id} is painted; 1 queued job kept\n"
    assert job.result(300), "and fetched by who waits for it"
    assert daemon.process.wait(300) == 0
    log = (daemon.paths.logs / "daemon.log").read_text()
    assert f"job {job.id} begins: image, attempt 1" in log
    assert f"job {job.id} done" in log
    assert later.id not in log, "it was not begun"
    assert typed("daemon", "stop", daemon=daemon) == f"none was running for {daemon.paths.data}\n"
    assert typed("daemon", "status", daemon=daemon).startswith(
        f"not running for {daemon.paths.data} ("
    )
