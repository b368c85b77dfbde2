"""The line between client and daemon is cut, stalls, and drips: work and results survive it."""

from __future__ import annotations

import numpy as np
import pytest

from underpaint.buffers import Buffers, Kind
from underpaint.conversation.state import ClientState
from underpaint.errors import ConnectionLost, ErrorCode
from underpaint.events import Done, Progress
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint.wire.messages import JobState
from underpaint_daemon.tools.faults.proxy import proxies_before

from helpers.daemon.real_daemon import wait_for

RESULT_BYTES = 6_000_000


def asked(prompt: str, seed: int = 7, **fields) -> ImageRequest:
    return ImageRequest(Prompt(prompt), sampling=Sampling(seed=seed), **fields)


@pytest.fixture
def line(daemon):
    """The proxies before `control` and `data`."""
    proxies = proxies_before(daemon.paths.connection_file)
    yield proxies
    for proxy in proxies:
        proxy.close()


def test_a_result_arrives_whole_though_the_line_is_cut_twice_in_the_middle_of_it(daemon, line):
    _, data = line
    up = daemon.client()
    job = up.submit(asked(f"steps=1 bytes={RESULT_BYTES}"))
    wait_for(lambda: job.ended)
    data.cut_after, data.cuts = RESULT_BYTES // 2, 2
    (file,) = job.result(120)
    assert file.data == bytes([7]) * RESULT_BYTES
    assert data.cuts == 0
    assert len(daemon.runs()) == 1


def test_a_job_is_accepted_once_though_the_line_is_cut_while_its_buffers_are_sent(daemon, line):
    _, data = line
    up = daemon.client()
    buffers = Buffers()
    noise = np.random.default_rng(1).integers(0, 256, (2048, 2048, 3), np.uint8)
    request = asked("steps=2", init=buffers.add(Kind.COLOR, noise))
    data.flowing.clear()
    submitting = up.later(lambda: up.submit(request, buffers))
    wait_for(lambda: data.held)
    data.cut()
    data.flowing.set()
    (file,) = submitting.result(120).result(120)
    assert file.facts["buffers_intact"]
    assert file.facts["count"] == 1
    assert len(daemon.runs()) == 1


def test_a_job_is_followed_to_its_end_though_both_lines_are_cut_under_it(daemon, line):
    up = daemon.client()
    job = up.submit(asked("steps=40 seconds=0.02"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    for proxy in line:
        proxy.cut()
    events = list(job)
    assert isinstance(events[-1], Done)
    assert any(isinstance(event, Progress) and event.step == 40 for event in events)
    assert job.result(120)
    assert len(daemon.runs()) == 1


def test_a_stalled_line_is_noticed_and_its_job_comes_when_it_flows_again(daemon, line):
    up = daemon.client()
    job = up.submit(asked("steps=4"))
    for proxy in line:
        proxy.flowing.clear()
    wait_for(lambda: up.state is not ClientState.READY)
    for proxy in line:
        proxy.flowing.set()
    assert job.result(120)
    assert up.state is ClientState.READY
    assert len(daemon.runs()) == 1


def test_a_line_that_drips_bytes_delivers(daemon, line):
    for proxy in line:
        proxy.piece = 7
    job = daemon.client().submit(asked("steps=1 bytes=500"))
    assert job.result(120)[0].data == bytes([7]) * 500


def test_what_cannot_pass_does_not_wait_for_ever(daemon, line):
    control, _ = line
    up = daemon.client()
    control.flowing.clear()
    with pytest.raises(ConnectionLost) as loss:
        up.ping(timeout=0.5)
    assert loss.value.code is ErrorCode.TIMEOUT
