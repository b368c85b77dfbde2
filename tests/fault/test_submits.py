"""The same job many times, other requests under its name, and no room on the disk."""

from __future__ import annotations

import shutil
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint.wire.connection import read_connection, write_connection
from underpaint_daemon.common.staging import make_staging

from helpers.daemon.real_daemon import wait_for


def asked(prompt: str, seed: int = 0) -> ImageRequest:
    return ImageRequest(Prompt(prompt), sampling=Sampling(seed=seed))


def test_a_hundred_submits_of_one_job_run_it_once(daemon):
    clients = [daemon.client() for _ in range(4)]
    jobs = []

    def submit(up) -> None:
        jobs.extend(up.submit(asked("steps=2"), job_id="the-one") for _ in range(25))

    threads = [threading.Thread(target=submit, args=(up,)) for up in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs) == 100
    assert jobs[0].result(120)
    assert len(clients[0].jobs()) == 1
    assert len(daemon.runs()) == 1


def test_a_job_id_is_not_for_another_request(daemon):
    up = daemon.client()
    up.submit(asked("steps=1"), job_id="mine").result(120)
    with pytest.raises(UnderpaintError) as refusal:
        daemon.client().submit(asked("steps=2"), job_id="mine")
    assert refusal.value.code is ErrorCode.JOB_ID_REUSED
    assert len(daemon.runs()) == 1


limited = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("prlimit") is None,
    reason="the full disk is played by prlimit (util-linux)",
)


def with_small_disk(idle_daemon, nbytes: int):
    """No file of daemon or worker may grow beyond `nbytes`; the kernel says EFBIG."""
    return idle_daemon.start(before=("prlimit", f"--fsize={nbytes}"))


def by_wire_only(daemon) -> None:
    """As a client that cannot enter the daemon's shared memory sees it."""
    file = daemon.paths.connection_file
    write_connection(file, replace(read_connection(file), shared=""))


@limited
def test_results_that_do_not_fit_fail_their_job_only(idle_daemon):
    up = with_small_disk(idle_daemon, 2_000_000).client()
    with pytest.raises(UnderpaintError) as failure:
        up.submit(asked("steps=1 bytes=3000000")).result(120)
    assert failure.value.code is ErrorCode.DISK_FULL
    assert failure.value.retryable
    assert up.submit(asked("steps=1")).result(120)


def test_results_that_may_not_be_written_fail_their_job_and_say_where(daemon):
    up = daemon.client()
    for root in make_staging(daemon.paths.data).roots:
        (root / "jobs").mkdir(parents=True, exist_ok=True)
        (root / "jobs" / "blocked").symlink_to("a-disk-that-is-not-mounted/jobs")
    with pytest.raises(UnderpaintError) as failure:
        up.submit(asked("steps=1"), job_id="blocked").result(120)
    assert failure.value.code is ErrorCode.FILE
    assert "blocked" in failure.value.message
    assert up.submit(asked("steps=2")).result(120)


@limited
def test_buffers_that_do_not_fit_are_refused_and_leave_nothing_behind(idle_daemon):
    by_wire_only(with_small_disk(idle_daemon, 2_000_000))
    up = idle_daemon.client()
    buffers = Buffers()
    init = buffers.add(Kind.COLOR, np.zeros((1024, 1024, 3), np.uint8))
    request = ImageRequest(Prompt("steps=1"), init=init)
    with pytest.raises(UnderpaintError) as refusal:
        up.submit(request, buffers)
    assert refusal.value.code is ErrorCode.DISK_FULL
    left = [p for p in (idle_daemon.paths.data / "blobs").rglob("*") if p.is_file()]
    assert left == []
    assert up.submit(asked("steps=1")).result(120)


@limited
def test_a_job_table_that_cannot_grow_refuses_jobs_and_the_daemon_lives(idle_daemon):
    up = with_small_disk(idle_daemon, 400_000).client()
    first = up.submit(asked("steps=1"))
    first.result(120)
    refusal = None
    for seed in range(200):
        try:
            up.submit(asked("steps=1 " + "x" * 15_000, seed))
        except UnderpaintError as error:
            refusal = error
            break
    assert refusal is not None
    assert refusal.code is ErrorCode.DISK_FULL
    assert up.ping()
    wait_for(lambda: up.job(first.id).info.state.terminal)
