"""The client against a daemon on real sockets: what a caller is promised."""

from __future__ import annotations

import statistics
import threading
import time

import numpy as np
import pytest

import underpaint
from underpaint.errors import ErrorCode, JobFailed, RequestError
from underpaint.wire import messages as m

from helpers.views import view_request


def test_a_request_comes_back_as_events_and_files(daemon, paths):
    request, buffers, color = view_request(256)
    daemon.only_watched = True
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers)
        events = list(job)
        files = job.result(timeout=300)
    states = [e.state for e in events if isinstance(e, underpaint.StateChanged)]
    assert states[-1] is underpaint.JobState.RUNNING
    assert isinstance(events[-1], underpaint.Done)
    assert [e.text for e in events if isinstance(e, underpaint.Warning_)] == ["painted by a test"]
    assert [f.name for f in files] == ["image-0.raw", "empty.txt"]
    assert files[0].data == (255 - color).tobytes()
    assert files[0].facts == {"seed": 7}


def test_progress_never_goes_back_and_previews_show_newer_steps(daemon, paths):
    daemon.step_s = 0.1
    request, buffers, _ = view_request()
    with underpaint.connect(paths, start=False) as up:
        events = list(up.submit(request, buffers, previews=True))
    steps = [e.step for e in events if isinstance(e, underpaint.Progress)]
    previews = [e for e in events if isinstance(e, underpaint.Preview)]
    assert steps == sorted(steps)
    assert steps[-1] == 4
    assert [p.step for p in previews] == sorted({p.step for p in previews})
    assert len(previews) >= 2
    assert previews[0].image.shape == (16, 24, 3)
    assert (previews[-1].image == previews[-1].step).all()


def test_the_same_view_is_sent_once(daemon, paths):
    request, buffers, _ = view_request(128)
    with underpaint.connect(paths, start=False) as up:
        up.submit(request, buffers).result(300)
        first = daemon.bytes_received
        up.submit(request, buffers).result(300)
        assert daemon.bytes_received == first
    with underpaint.connect(paths, start=False) as another:
        another.submit(request, buffers).result(300)
    assert first == 128 * 128 * 8
    assert daemon.bytes_received == first


def test_buffers_that_the_daemon_let_go_are_sent_again(daemon, paths):
    request, buffers, color = view_request()
    with underpaint.connect(paths, start=False) as up:
        up.submit(request, buffers).result(300)
        daemon.blobs.clear()
        assert up.submit(request, buffers).result(300)[0].data == (255 - color).tobytes()
        daemon.blobs.clear()
        with pytest.raises(RequestError) as missing:
            up.submit(request)
    assert missing.value.code is ErrorCode.MISSING_BLOBS


def test_many_buffers_travel_in_several_messages(daemon, paths):
    buffers = underpaint.Buffers()
    images = [np.full((8, 8, 3), i, np.uint8) for i in range(40)]
    refs = [buffers.add(underpaint.Kind.COLOR, image) for image in images]
    controls = tuple(underpaint.Control(underpaint.ControlKind.CANNY, image=r) for r in refs)
    request = underpaint.ImageRequest(underpaint.Prompt(), controls=controls)
    with underpaint.connect(paths, start=False) as up:
        up.submit(request, buffers).result(300)
    assert len(daemon.blobs) == 40
    assert sum(isinstance(body, m.BlobPut) for body in daemon.heard) == 2


def test_submitting_twice_is_one_job_and_another_request_is_refused(daemon, paths):
    request, buffers, _ = view_request()
    other = underpaint.ImageRequest(underpaint.Prompt("something else"))
    with underpaint.connect(paths, start=False) as up:
        jobs = [up.submit(request, buffers, job_id="mine") for _ in range(20)]
        jobs[0].result(300)
        with pytest.raises(RequestError) as reused:
            up.submit(other, job_id="mine")
        assert [info.job for info in up.jobs()] == ["mine"]
    assert reused.value.code is ErrorCode.JOB_ID_REUSED
    assert reused.value.hint


def test_a_failed_job_says_why(daemon, paths):
    request, buffers, _ = view_request(text="please fail")
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers)
        last = list(job)[-1]
        assert isinstance(last, underpaint.Failed)
        assert last.error.code is ErrorCode.MODEL_MISSING
        with pytest.raises(RequestError, match="no such model"):
            job.result(300)


def test_a_cancelled_job_ends_as_cancelled(daemon, paths):
    daemon.step_s = 0.2
    request, buffers, _ = view_request()
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers)
        assert not job.cancel().terminal
        last = list(job)[-1]
        assert isinstance(last, underpaint.Failed)
        assert last.error.code is ErrorCode.CANCELLED
        assert job.cancel() is underpaint.JobState.CANCELLED
        with pytest.raises(JobFailed):
            job.result(300)


def test_another_client_can_fetch_what_the_first_left_behind(daemon, paths):
    request, buffers, color = view_request()
    with underpaint.connect(paths, start=False) as up:
        up.submit(request, buffers, job_id="left-behind")
    with underpaint.connect(paths, start=False) as up:
        files = up.job("left-behind").result(300)
        assert up.request_of("left-behind") == underpaint.to_plain(request)
        with pytest.raises(RequestError) as unknown:
            up.job("never-was")
    assert files[0].data == (255 - color).tobytes()
    assert unknown.value.code is ErrorCode.JOB_UNKNOWN


def test_polling_never_blocks_and_sees_the_end(daemon, paths):
    daemon.step_s = 0.02
    request, buffers, _ = view_request()
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers, previews=True, wait=False)
        seen, times = [], []
        while not job.ended or not seen or not isinstance(seen[-1], underpaint.Done):
            began = time.perf_counter()
            seen += up.poll()
            times.append(time.perf_counter() - began)
            time.sleep(0.005)
        files = up.later(job.result).result(300)
    assert any(isinstance(e, underpaint.Preview) for e in seen)
    assert files[0].name == "image-0.raw"
    # One that waited would take a step's time; the scheduler of a busy machine takes some slices.
    assert statistics.median(times) < daemon.step_s / 2


def test_a_job_that_ended_can_be_asked_for_again(daemon, paths):
    request, buffers, color = view_request()
    with underpaint.connect(paths, start=False) as up:
        first = up.submit(request, buffers, job_id="again")
        assert first.result(300) == first.result(300)
        assert isinstance(list(first)[-1], underpaint.Done)
        assert list(first) == []
        second = up.job("again")
        assert [type(e) for e in second] == [underpaint.Warning_, underpaint.Done]
        assert second.result(300)[0].data == (255 - color).tobytes()


def test_a_refusal_reaches_a_caller_that_did_not_wait(daemon, paths):
    request, _, _ = view_request()
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, wait=False)
        (event,) = list(job.events(timeout=300))
    assert isinstance(event, underpaint.Failed)
    assert event.error.code is ErrorCode.MISSING_BLOBS


def test_the_small_questions_have_answers(daemon, paths):
    with underpaint.connect(paths, start=False) as up:
        assert up.ping() == m.Pong(queued=0)
        assert up.models()[0].controls == ("depth",)
        assert up.status().epoch == daemon.epoch
        assert up.log() == ["all is well"]
        assert up.state is underpaint.ClientState.READY
        assert up.why is None


def test_more_jobs_than_one_message_tells_are_listed(daemon, paths):
    for number in range(70):
        job = m.JobInfo(f"job-{number}", "image", m.JobState.DONE, 1, float(number), 0.0)
        daemon.jobs[job.job] = job
    with underpaint.connect(paths, start=False) as up:
        assert [job.job for job in up.jobs(60)] == [f"job-{n}" for n in range(69, 9, -1)]
        assert len(up.jobs(100)) == 70
        assert len(up.jobs(50)) == 50


def test_a_caller_that_waits_for_no_longer_than_it_said_is_told(daemon, paths):
    daemon.step_s = 60.0
    request, buffers, _ = view_request()
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers)
        with pytest.raises(underpaint.ConnectionLost, match=r"nothing for 0\.1 s") as late:
            list(job.events(timeout=0.1))
        assert late.value.code is ErrorCode.TIMEOUT
        with pytest.raises(RequestError, match="does not match"):
            up.job("../etc")
    with pytest.raises(underpaint.ConnectionLost, match="this client is closed"):
        list(job.events())
    up.close()
    with pytest.raises(underpaint.ConnectionLost, match="this client is closed"):
        up.ping()
    job.show_previews()  # nobody hears it, and it is no error


def test_previews_are_asked_for_later_and_no_more(daemon, paths):
    daemon.step_s = 0.1
    request, buffers, _ = view_request()
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers)
        seen = list(job.events(previews=True))
        assert any(isinstance(event, underpaint.Preview) for event in seen)
        job.show_previews(False)
        assert not job.wants_preview
        job.show_previews()
        assert not job.wants_preview, "it has ended"


def test_a_bug_in_what_runs_beside_is_told_and_not_swallowed(daemon, paths, monkeypatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    with underpaint.connect(paths, start=False) as up:
        failed = up.later(lambda: 1 / 0).exception(10)
    assert isinstance(failed, JobFailed)
    assert failed.code is ErrorCode.INTERNAL
    assert told[0].exc_type is ZeroDivisionError


def test_many_threads_share_one_client(daemon, paths):
    pings, errors = [], []

    def work() -> None:
        try:
            pings.extend(up.ping() for _ in range(20))
        except underpaint.UnderpaintError as error:
            errors.append(error)

    with underpaint.connect(paths, start=False) as up:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert len(pings) == 160
