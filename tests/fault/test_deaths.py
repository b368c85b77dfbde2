"""Processes die at the worst moment: nothing accepted is lost, and no result comes twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

import underpaint
from underpaint.errors import ConnectionLost, ErrorCode, JobFailed
from underpaint.events import Done, Warning_
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint.wire.connection import process_alive, read_connection, write_connection
from underpaint.wire.messages import JobState

from helpers.daemon.real_daemon import Daemon, wait_for


def asked(prompt: str, seed: int = 0) -> ImageRequest:
    return ImageRequest(Prompt(prompt), sampling=Sampling(seed=seed))


def test_a_worker_killed_mid_step_is_replaced_and_its_job_run_again(daemon):
    up = daemon.client()
    job = up.submit(asked("steps=4 kill_at=2 name=once"))
    events = list(job)
    assert isinstance(events[-1], Done)
    (warning,) = [e.text for e in events if isinstance(e, Warning_)]
    assert "SIGKILL" in warning
    assert "run again" in warning
    assert len(job.result()) == 1
    assert len(daemon.runs()) == 2


def test_a_job_that_kills_every_worker_fails_with_the_reason_and_the_next_succeeds(daemon):
    up = daemon.client()
    job = up.submit(asked("steps=4 kill_at=2 always=1"))
    with pytest.raises(JobFailed) as failure:
        job.result(120)
    assert failure.value.code is ErrorCode.WORKER_LOST
    assert "SIGKILL" in failure.value.message
    assert "MiB" in failure.value.message
    assert len(daemon.runs()) == 2
    assert up.submit(asked("steps=1")).result(120)


def test_the_daemon_answers_throughout_a_workers_death(daemon):
    up = daemon.client()
    job = up.submit(asked("steps=10 seconds=0.03"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    os.kill(up.status().worker_pid, signal.SIGKILL)
    while not job.ended:
        up.ping()  # raises when it is not answered
    assert job.result(120)


def test_a_worker_that_dies_idle_is_replaced(daemon):
    up = daemon.client()
    up.submit(asked("steps=1")).result(120)
    first = up.status().worker_pid
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: up.status().worker_pid not in (first, None))
    assert up.submit(asked("steps=2")).result(120)


@pytest.mark.slow
def test_a_worker_that_is_stopped_idle_is_replaced_and_the_next_job_runs(daemon):
    """Before the next job comes, and after it was given that job."""
    up = daemon.client()
    for waits in (True, False):
        up.submit(asked("steps=1")).result(120)
        stopped = up.status().worker_pid
        os.kill(stopped, signal.SIGSTOP)
        if waits:
            wait_for(lambda s=stopped: up.status().worker_pid not in (s, None), 60)
        job = up.submit(asked("steps=2", seed=9))
        (file,) = job.result(120)
        assert file.data[0] == 9
        assert up.status().worker_pid != stopped
        assert not process_alive(stopped)
    assert len(daemon.runs()) == 4, "nothing was run twice"


def test_a_worker_that_hangs_is_killed_by_a_hard_cancel_and_the_next_job_runs(daemon):
    up = daemon.client()
    job = up.submit(asked("steps=100 seconds=0.05"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    hung = up.status().worker_pid
    os.kill(hung, signal.SIGSTOP)
    assert up.ping()
    job.cancel(hard=True)
    assert list(job)[-1].error.code is ErrorCode.CANCELLED
    assert up.submit(asked("steps=1")).result(120)
    assert not process_alive(hung)


def test_a_cancelled_job_whose_worker_dies_stays_cancelled(daemon):
    up = daemon.client()
    job = up.submit(asked("deaf=30"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    job.cancel()
    os.kill(up.status().worker_pid, signal.SIGKILL)
    assert list(job)[-1].error.code is ErrorCode.CANCELLED


def test_three_jobs_survive_the_daemons_death_and_none_runs_twice_to_its_end(daemon):
    up = daemon.client()
    jobs = [up.submit(asked("steps=10 seconds=0.03", seed)) for seed in (1, 2, 3)]
    wait_for(daemon.runs)  # the first has begun
    worker = up.status().worker_pid
    daemon.kill()
    wait_for(lambda: not process_alive(worker))
    daemon.start()
    for seed, job in zip((1, 2, 3), jobs, strict=True):
        (file,) = job.result(120)
        assert file.data[0] == seed
    runs = [run.split("|")[1] for run in daemon.runs()]
    assert runs == ["1", "1", "2", "3"]  # the one that was interrupted, once more


def test_a_job_under_which_the_daemon_dies_twice_is_not_tried_for_ever(daemon):
    job = daemon.client().submit(asked("steps=100 seconds=0.05"))
    for attempt in (1, 2):
        wait_for(lambda attempt=attempt: len(daemon.runs()) == attempt)
        daemon.kill()
        daemon.start()
    with pytest.raises(JobFailed) as failure:
        daemon.client().job(job.id).result(120)
    assert failure.value.code is ErrorCode.WORKER_LOST


def test_a_finished_job_survives_the_daemons_death(daemon):
    job = daemon.client().submit(asked("steps=1", 5))
    wait_for(lambda: job.info.state is JobState.DONE)
    daemon.kill()
    daemon.start()
    assert daemon.client().job(job.id).result(120)[0].data[0] == 5
    assert len(daemon.runs()) == 1


_SUBMIT_AND_HANG = """
import sys, time, underpaint
from underpaint.requests import ImageRequest, Prompt
up = underpaint.connect(start=False)
up.submit(ImageRequest(Prompt("steps=10 seconds=0.03")), job_id="orphan")
print("submitted", flush=True)
time.sleep(60)
"""


def test_the_result_of_a_killed_client_is_there_for_the_next(daemon):
    command = [sys.executable, "-c", _SUBMIT_AND_HANG]
    with subprocess.Popen(command, env=daemon.env, stdout=subprocess.PIPE) as client:
        client.stdout.readline()
        client.kill()
    assert daemon.client().job("orphan").result(120)


def test_a_stopped_daemon_goes_on_where_it_was(daemon):
    up = daemon.client()
    job = up.submit(asked("steps=20 seconds=0.02"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    daemon.process.send_signal(signal.SIGSTOP)
    with pytest.raises(ConnectionLost, match="did not answer"):
        up.ping(timeout=0.5)
    daemon.process.send_signal(signal.SIGCONT)
    assert job.result(120)
    assert len(daemon.runs()) == 1


def test_of_two_daemons_that_race_one_serves_and_the_other_says_why(tmp_path):
    daemon = Daemon(tmp_path)
    racers = [daemon.spawn() for _ in range(3)]
    wait_for(lambda: sum(racer.poll() is None for racer in racers) == 1)
    losers = [racer for racer in racers if racer.poll() is not None]
    (daemon.process,) = [racer for racer in racers if racer.poll() is None]
    for loser in losers:
        assert b"another daemon" in loser.stderr.read()
        loser.stderr.close()
    wait_for(daemon.is_up)
    assert daemon.client().submit(asked("steps=1")).result(120)
    daemon.close()


def test_a_connection_file_of_a_dead_daemon_is_replaced(daemon):
    daemon.kill()
    assert daemon.paths.connection_file.exists()
    with pytest.raises(ConnectionLost):
        daemon.client()
    daemon.start()
    assert daemon.client().ping()


def test_a_connection_file_that_names_somebody_elses_process_does_not_fool_a_client(idle_daemon):
    idle_daemon.start()
    file = idle_daemon.paths.connection_file
    left_over = read_connection(file)
    idle_daemon.kill()
    write_connection(file, replace(left_over, pid=os.getpid()))
    with pytest.raises(ConnectionLost):
        underpaint.connect(idle_daemon.paths, start=False, timeout=1)
    idle_daemon.start()
    assert idle_daemon.client().ping()
