"""The queue's order, its pauses, and the GPU left to others, as clients see it."""

from __future__ import annotations

from underpaint.cli.main import main
from underpaint.errors import ErrorCode
from underpaint.requests import ImageRequest, Prompt
from underpaint.wire.messages import JobState, Place

from helpers.daemon.real_daemon import wait_for


def asked(prompt: str) -> ImageRequest:
    return ImageRequest(Prompt(prompt))


def test_a_waiting_job_is_moved_and_the_queue_runs_in_that_order(daemon):
    up = daemon.client()
    up.queue.pause()
    jobs = [up.submit(asked(f"steps=1 name={name}")) for name in "abcd"]
    a, b, c, d = (job.id for job in jobs)
    assert up.queue.move(c, Place.FRONT).position == 0
    assert up.queue.move(b, Place.UP).position == 1
    assert up.queue.move(d, Place.DOWN).position == 3, "it is the last already"
    queue = up.queue.list()
    assert [job.job for job in queue.jobs] == [c, b, a, d]
    assert queue.paused
    last = up.submit(asked("steps=1 name=e"))
    assert last.info.position == 4, "what comes later waits behind all"
    daemon.process.terminate()
    daemon.process.wait(300)
    up = daemon.start().client()
    assert up.queue.list().paused, "a restart changes nothing"
    up.queue.resume()
    for id in (a, b, c, d, last.id):
        up.job(id).result(120)
    assert [run.split("|")[0][-1] for run in daemon.runs()] == list("cbade")
    moved = up.queue.move(a)
    assert (moved.state, moved.position) == (JobState.DONE, None)


def test_a_paused_queue_finishes_what_runs_and_begins_nothing(served):
    up = served.client()
    running = up.submit(asked("steps=10 seconds=0.02"))
    wait_for(lambda: running.info.state is JobState.RUNNING)
    up.queue.pause()
    waiting = up.submit(asked("steps=1 name=held"))
    assert running.result(120)
    assert up.ping().queued == 1
    assert up.status().running is None
    up.queue.resume()
    assert waiting.result(120)


def test_others_pass_a_job_that_is_paused_by_itself(served):
    up = served.client()
    running = up.submit(asked("steps=10 seconds=0.02"))
    held, free = up.submit(asked("steps=1 name=held2")), up.submit(asked("steps=1 name=free2"))
    up.queue.pause(held.id)
    assert free.result(120)
    assert running.ended
    (info,) = up.queue.list().jobs
    assert (info.job, info.state, info.paused) == (held.id, JobState.QUEUED, True)
    up.queue.resume(held.id)
    assert held.result(120)


def test_while_a_render_has_the_gpu_the_job_waits_at_its_step_and_none_begins(served):
    up, renders = served.client(), served.client()
    running = up.submit(asked("steps=40 seconds=0.02 name=yields"))
    waiting = up.submit(asked("steps=1 name=later"))
    wait_for(lambda: running.info.progress and running.info.progress.step > 1)
    renders.queue.yield_gpu(60, "Blender renders")
    wait_for(lambda: running.info.progress.phase == "yielding")
    assert up.queue.list().yielded == "Blender renders"
    assert running.info.state is JobState.RUNNING
    assert waiting.info.state is JobState.QUEUED
    renders.queue.yield_gpu(0)
    assert running.result(120)
    assert waiting.result(120)
    assert up.queue.list().yielded is None


def test_while_a_render_has_the_gpu_an_idle_worker_takes_its_models_off_it_once(served):
    up = served.client()
    assert up.submit(asked("steps=1 name=before")).result(120)
    log = served.paths.data / "let_go.log"
    log.unlink(missing_ok=True)
    up.queue.yield_gpu(60, "Blender renders")
    wait_for(log.exists)
    up.queue.yield_gpu(60, "Blender renders")  # said again, as the add-on does
    up.queue.yield_gpu(0)
    assert up.submit(asked("steps=1 name=between")).result(120)
    assert log.read_text() == "once\n"
    up.queue.yield_gpu(60, "Blender renders")
    wait_for(lambda: log.read_text() == "once\nonce\n")
    up.queue.yield_gpu(0)


def test_a_render_whose_blender_died_stops_nobody_for_longer_than_its_lease(served):
    up, renders = served.client(), served.client()
    renders.queue.yield_gpu(1, "Blender renders")
    renders.close()
    job = up.submit(asked("steps=1 name=after"))
    assert up.queue.list().yielded == "Blender renders"
    assert job.result(120)


def test_a_job_that_waits_for_the_gpu_is_cancelled_at_once(served):
    up = served.client()
    job = up.submit(asked("steps=1000 seconds=0.02"))
    wait_for(lambda: job.info.progress and job.info.progress.step > 1)
    up.queue.yield_gpu(60, "")
    wait_for(lambda: job.info.progress.phase == "yielding")
    job.cancel()
    assert list(job)[-1].error.code is ErrorCode.CANCELLED
    up.queue.yield_gpu(0)


def test_the_command_line_orders_the_queue(served, monkeypatch, capsys):
    monkeypatch.setenv("UNDERPAINT_DATA", str(served.paths.data))
    up = served.client()
    assert main(["jobs", "pause"]) == 0
    first, second = (up.submit(asked(f"steps=1 name={name}")) for name in ("one", "two"))
    assert main(["jobs", "first", second.id[:8]]) == 0
    assert main(["jobs", "pause", first.id]) == 0
    assert main(["jobs"]) == 0
    said = capsys.readouterr().out
    assert f"{second.id}  next" in said
    assert "the queue is paused: `underpaint jobs resume`" in said
    assert f"{first.id}  paused" in said
    assert main(["jobs", "up"]) == 2
    assert "of which job?" in capsys.readouterr().err
    assert main(["jobs", "resume"]) == 0
    assert second.result(120)
    assert main(["jobs", "resume", first.id]) == 0
    assert first.result(120)
