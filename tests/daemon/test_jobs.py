"""What a client sees of a real daemon and its worker process."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from underpaint.buffers import Buffers, Kind
from underpaint.cameras import Camera, look_at, perspective
from underpaint.errors import ErrorCode, JobFailed, RequestError
from underpaint.events import Done, Failed, Preview, Progress, StateChanged, Warning_
from underpaint.requests import ImageRequest, Prompt, Sampling, View
from underpaint.wire.messages import JobState

from helpers.daemon.real_daemon import wait_for


def asked(prompt: str, seed: int = 0) -> ImageRequest:
    return ImageRequest(Prompt(prompt), sampling=Sampling(seed=seed))


def viewed(prompt: str, side: int = 64) -> tuple[ImageRequest, Buffers]:
    buffers = Buffers()
    camera = Camera(
        look_at((0, -5, 0), (0, 0, 0)), perspective(side, side, 0.8, 0.1, 100), side, side, 0.1, 100
    )
    rng = np.random.default_rng(0)
    depth = rng.uniform(1, 9, (side, side)).astype(np.float32)
    normal = rng.integers(0, 255, (side, side, 3)).astype(np.uint8)
    view = View(camera, buffers.add(Kind.DEPTH, depth), buffers.add(Kind.NORMAL, normal))
    return ImageRequest(Prompt(prompt), view=view), buffers


def test_a_job_tells_of_its_life_and_gives_its_files(served):
    up = served.client()
    request, buffers = viewed("steps=6 seconds=0.05 warn=rain")
    job = up.submit(request, buffers, previews=True)
    events = list(job)
    states = [e.state for e in events if isinstance(e, StateChanged)]
    assert states == [JobState.QUEUED, JobState.STARTING, JobState.RUNNING, JobState.SAVING]
    assert isinstance(events[-1], Done)
    last = [e for e in events if isinstance(e, Progress) and e.phase == "denoising"][-1]
    assert (last.step, last.total, last.eta_s) == (6, 6, 0.0)
    previews = [e for e in events if isinstance(e, Preview)]
    assert previews
    assert previews[-1].image.shape == (64, 48, 3)
    assert [e.text for e in events if isinstance(e, Warning_)] == ["warned of rain"]
    (file,) = job.result()
    assert file.facts == {"buffers_intact": True, "count": 2}
    assert len(file.data) == 1000


def test_pixels_that_the_daemon_has_are_not_sent_again(served):
    request, buffers = viewed("steps=1")
    served.client().submit(request, buffers).result(120)
    again = ImageRequest(Prompt("steps=2"), view=request.view)
    job = served.client().submit(again, Buffers())
    assert job.result(120)[0].facts["buffers_intact"]


def test_nobody_asking_for_previews_gets_none(served):
    job = served.client().submit(asked("steps=4"))
    assert not [e for e in job if isinstance(e, Preview)]


def test_progress_comes_ten_times_a_second_at_most_and_ends_at_the_last_step(served):
    job = served.client().submit(asked("steps=100 seconds=0.005"))
    began = time.monotonic()
    told = [e for e in job if isinstance(e, Progress) and e.phase == "denoising"]
    assert len(told) <= (time.monotonic() - began) * 10 + 3
    assert told[-1].step == 100


def test_a_soft_cancel_ends_the_job_at_its_next_step(served):
    up = served.client()
    job = up.submit(asked("steps=1000 seconds=0.03"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    job.cancel()
    *told, end = list(job)
    assert max((event.step for event in told if isinstance(event, Progress)), default=0) < 1000
    assert isinstance(end, Failed)
    assert end.error.code is ErrorCode.CANCELLED
    assert up.submit(asked("steps=1")).result(120)


def test_enough_ends_a_job_as_done_with_what_it_has(served):
    up = served.client()
    job = up.submit(asked("steps=500 seconds=0.02 name=enough"))
    steps = 0
    for event in job:
        if isinstance(event, Progress) and event.phase == "denoising":
            steps = max(steps, event.step)
            if steps == event.step and steps < 3:
                assert job.enough() is JobState.RUNNING
    assert isinstance(event, Done)
    assert 1 <= steps < 500
    assert job.result(300)
    assert job.enough() is JobState.DONE


def test_enough_cancels_a_job_that_has_nothing_yet(served):
    up = served.client()
    first = up.submit(asked("steps=100 seconds=0.02"))
    waiting = up.submit(asked("steps=1 name=waits"))
    assert waiting.enough() is JobState.QUEUED
    with pytest.raises(JobFailed) as failed:
        waiting.result(300)
    assert failed.value.code is ErrorCode.CANCELLED
    first.cancel()
    assert isinstance(list(first)[-1], Failed)


def test_a_hard_cancel_kills_a_worker_that_does_not_listen(idle_daemon):
    up = idle_daemon.start("--cancel-grace", "0.2").client()
    job = up.submit(asked("deaf=60"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    worker = up.status().worker_pid
    job.cancel(hard=True)
    assert list(job)[-1].error.code is ErrorCode.CANCELLED
    assert up.submit(asked("steps=1")).result(120)
    assert up.status().worker_pid != worker


def test_a_queued_job_is_cancelled_at_once_and_never_runs(served):
    up = served.client()
    first = up.submit(asked("steps=10 seconds=0.03"))
    second = up.submit(asked("name=unwanted"))
    assert second.info.position == 0
    assert second.cancel() is JobState.QUEUED
    assert list(second)[-1].error.code is ErrorCode.CANCELLED
    first.result(120)
    assert not [run for run in served.runs() if "unwanted" in run]


def test_jobs_run_in_the_order_of_their_submission(daemon):
    up = daemon.client()
    jobs = [up.submit(asked("steps=1", seed)) for seed in range(5)]
    for job in jobs:
        job.result(120)
    assert [run.split("|")[1] for run in daemon.runs()] == list("01234")
    assert [info.job for info in up.jobs()] == [job.id for job in reversed(jobs)]


@pytest.mark.parametrize(
    ("order", "code"),
    [("fail_at=1", ErrorCode.MODEL_BROKEN), ("bug_at=1", ErrorCode.INTERNAL)],
)
def test_a_job_that_fails_says_why_and_the_next_one_runs(served, order, code):
    up = served.client()
    with pytest.raises((JobFailed, RequestError)) as failure:
        up.submit(asked(order)).result(120)
    assert failure.value.code is code
    assert failure.value.hint
    assert up.submit(asked("steps=1")).result(120)


def test_the_next_client_finds_the_job_and_its_request(served):
    request, buffers = viewed("steps=2")
    job = served.client().submit(request, buffers)
    job.result(120)
    later = served.client()
    assert later.job(job.id).result(120)[0].facts["buffers_intact"]
    assert later.request_of(job.id)["prompt"] == {"text": "steps=2"}


def test_the_job_folder_tells_people_what_happened(served):
    job = served.client().submit(asked("steps=1", seed=7))
    job.result(120)
    record = (served.paths.data / "jobs" / job.id / "job.json").read_text()
    assert '"outcome": "done"' in record
    assert '"seed": 7' in record


def test_status_log_and_ping_answer_while_a_job_runs(daemon):
    up = daemon.client()
    job = up.submit(asked("steps=30 seconds=0.02"))
    wait_for(lambda: up.status().worker == "busy")
    status = up.status()
    assert status.running == job.id
    assert status.memory["heartbeat_age_s"] < 3
    assert up.ping().running == 1
    assert any("serves" in line for line in up.log())
    assert "small_runners" not in "".join(up.log())
    job.cancel()


def test_a_daemon_shut_down_when_idle_finishes_its_job_first(daemon):
    up = daemon.client()
    job = up.submit(asked("steps=10 seconds=0.02"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    up.shutdown()
    assert daemon.process.wait(300) == 0
    assert not daemon.paths.connection_file.exists()
    daemon.start()
    assert daemon.client().job(job.id).result(120)
    assert len(daemon.runs()) == 1


def test_a_daemon_shut_down_now_runs_the_job_again_next_time(daemon):
    up = daemon.client()
    job = up.submit(asked("steps=20 seconds=0.02"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    up.shutdown(now=True)
    assert daemon.process.wait(300) == 0
    daemon.start()
    assert daemon.client().job(job.id).result(120)


def test_a_daemon_without_clients_and_jobs_ends_by_itself(idle_daemon):
    idle_daemon.start("--idle-exit", "0.005")
    assert idle_daemon.process.wait(300) == 0
    assert not idle_daemon.paths.connection_file.exists()


def test_an_idle_worker_gives_its_memory_back(idle_daemon):
    up = idle_daemon.start("--idle-unload", "0.005").client()
    up.submit(asked("steps=1")).result(120)
    worker = up.status().worker_pid
    wait_for(lambda: up.status().worker_pid != worker)
    assert up.submit(asked("steps=2")).result(120)


def test_old_results_make_room_for_new_ones(idle_daemon):
    up = idle_daemon.start("--results-mb", "1").client()
    first = up.submit(asked("steps=1 bytes=700000", 1))
    first.result(120)
    second = up.submit(asked("steps=1 bytes=700000", 2))
    second.result(120)
    wait_for(lambda: is_gone(up, first.id))
    assert up.fetch_results(second.id, 5)


def is_gone(up, job_id) -> bool:
    try:
        up.fetch_results(job_id, 5)
    except RequestError as gone:
        return gone.code is ErrorCode.RESULT_UNKNOWN
    return False


def test_buffers_of_waiting_jobs_are_kept_when_room_is_made(idle_daemon):
    up = idle_daemon.start("--buffers-mb", "0").client()
    blocker = up.submit(asked("steps=5 seconds=0.02"))
    request, buffers = viewed("steps=1")
    waiting = up.submit(request, buffers)
    blocker.result(120)
    assert waiting.result(120)[0].facts == {"buffers_intact": True, "count": 2}


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such file modes")
def test_what_the_daemon_keeps_is_for_its_user_only(served):
    assert served.paths.data.stat().st_mode & 0o077 == 0
    assert served.paths.connection_file.stat().st_mode & 0o077 == 0
