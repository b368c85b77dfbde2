"""A worker whose memory runs out, by a limit that the kernel keeps: its job ends with a clear word,
and the next one succeeds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from underpaint.errors import ErrorCode, JobFailed
from underpaint.events import Done
from underpaint.requests import ImageRequest, Prompt

MIB = 1024 * 1024
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("prlimit") is None,
    reason="memory is limited by prlimit (util-linux)",
)


def asked(prompt: str) -> ImageRequest:
    return ImageRequest(Prompt(prompt))


def limit_memory(pid: int, nbytes: int) -> None:
    """No address beyond so many bytes for a running process (its soft limit)."""
    subprocess.run(["prlimit", f"--pid={pid}", f"--as={nbytes}:"], check=True)


def address_space(pid: int) -> int:
    """Bytes; see proc_pid_statm(5)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * 4096


def ready_worker(up) -> int:
    up.submit(asked("steps=1")).result(120)
    return up.status().worker_pid


def test_a_job_that_needs_more_memory_than_there_is_fails_and_the_next_succeeds(daemon):
    up = daemon.client()
    worker = ready_worker(up)
    limit_memory(worker, address_space(worker) + 200 * MIB)
    job = up.submit(asked(f"steps=1 bytes={900 * MIB}"))
    with pytest.raises(JobFailed) as failure:
        job.result(120)
    assert failure.value.code is ErrorCode.OUT_OF_MEMORY
    assert failure.value.retryable
    assert "resolution" in failure.value.hint
    assert up.submit(asked("steps=2")).result(120)
    assert up.status().worker_pid == worker, "it need not die of it"


def test_a_worker_that_can_get_no_memory_at_all_hangs_nobody(daemon):
    up = daemon.client()
    limit_memory(ready_worker(up), 1)
    job = up.submit(asked("steps=2"))
    last = list(job)[-1]  # the little that it needs may be at hand
    assert isinstance(last, Done) or last.error.code is ErrorCode.OUT_OF_MEMORY
    assert up.submit(asked("steps=1")).result(120)


def test_a_job_whose_workers_die_of_hunger_fails_with_the_reason_and_the_next_succeeds(idle_daemon):
    idle_daemon.start(before=("prlimit", f"--as={4000 * MIB}"))
    up = idle_daemon.client()
    job = up.submit(asked(f"steps=4 seconds=0.01 mallocs={9000 * MIB}"))
    with pytest.raises(JobFailed) as failure:
        job.result(120)
    assert failure.value.code is ErrorCode.WORKER_LOST
    assert "SIGABRT" in failure.value.message
    assert "MiB" in failure.value.message
    assert "resolution" in failure.value.hint
    assert len(idle_daemon.runs()) == 2
    assert up.submit(asked("steps=1")).result(120)
