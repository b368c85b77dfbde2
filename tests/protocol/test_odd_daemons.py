"""A daemon that says what it should not: another release's, or one that is broken. A client tells
it in words, and takes no harm."""

from __future__ import annotations

import numpy as np
import pytest

import underpaint
from underpaint.cli.main import main
from underpaint.errors import (
    ConnectionLost,
    ErrorCode,
    JobFailed,
    ProtocolError,
    RequestError,
)
from underpaint.launcher import probe
from underpaint.wire import message_types
from underpaint.wire import messages as m
from underpaint.wire.envelope import Buffer, BufferInfo, Envelope, file_buffer, new_id
from underpaint.wire.message_types import Channel
from underpaint.wire.records import JobInfo, JobState

from helpers.daemon.real_daemon import wait_for
from helpers.views import view_request


def refusing(code: ErrorCode, kind: type = RequestError):
    def say(*_):
        raise ProtocolError("no", code=code) if kind is ProtocolError else RequestError(code, "no")

    return say


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        (refusing(ErrorCode.PROTOCOL_VERSION), ErrorCode.PROTOCOL_VERSION),
        (lambda *_: m.Pong(), ErrorCode.DAEMON_LOST),
    ],
)
def test_a_daemon_that_does_not_greet_back_is_told(daemon, paths, hello, code):
    daemon.odd[m.Hello] = hello
    with underpaint.connect(paths, start=False, wait=False) as up:
        wait_for(lambda: up.why is not None and up.why.code is code)


def test_whether_a_daemon_greets_back_is_known_in_time(daemon):
    assert probe(daemon.connection)
    daemon.odd[m.Hello] = refusing(ErrorCode.PROTOCOL_VERSION)
    with pytest.raises(ProtocolError, match="no"):
        probe(daemon.connection)
    daemon.deaf.set()
    assert not probe(daemon.connection, timeout=0.3), "it says nothing"
    daemon.stop()
    assert not probe(daemon.connection, timeout=0.3), "nobody is there"


def test_an_answer_to_another_question_is_told(daemon, paths):
    daemon.odd[m.Status] = lambda *_: m.Pong()
    with underpaint.connect(paths, start=False) as up:
        with pytest.raises(JobFailed, match="answered Pong, not StatusOk"):
            up.status()
        assert up.ping()


def test_an_answer_of_a_newer_protocol_reaches_who_asked(daemon, paths):
    def newer(channel: Channel, peer: bytes) -> m.Body:
        asked = daemon.asked[-1]
        daemon.send(channel, Envelope("status.of_the_future", new_id(), asked, {}), peer)
        return m.Pong()

    daemon.odd[m.Status] = newer
    with underpaint.connect(paths, start=False) as up:
        with pytest.raises(ProtocolError) as told:
            up.status()
        assert told.value.code is ErrorCode.UNSUPPORTED
        assert up.ping()


def test_noise_and_news_that_nobody_asked_for_are_passed_over(daemon, paths):
    def noisy(channel: Channel, peer: bytes) -> m.Body:
        daemon.send_frames(channel, [peer, b"noise"])
        daemon.send(channel, message_types.message(m.Event("unknown", 1)), peer)
        daemon.send(channel, message_types.message(m.Bye()), peer)
        return m.StatusOk("e", 1, "odd", 0.0, 0)

    daemon.odd[m.Status] = noisy
    with underpaint.connect(paths, start=False) as up:
        assert up.status().daemon_version == "odd"
        assert up.ping()


@pytest.mark.parametrize(
    ("offset", "told"), [(7, "does not follow the last"), (0, "its hash does not match")]
)
def test_a_result_that_arrives_damaged_is_not_taken(daemon, paths, offset, told):
    def part(channel: Channel, peer: bytes) -> m.Body:
        part = m.ResultPart("odd", "image-0.raw", offset, 10**6)
        answer = message_types.message(
            part, re=daemon.asked[-1], buffers=(file_buffer(bytes(10**6)),)
        )
        daemon.send(channel, answer, peer)
        return m.Pong()

    request, buffers, _ = view_request()
    daemon.odd[m.ResultFetch] = part
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers)
        with pytest.raises(JobFailed, match=told) as failed:
            job.result(300)
    assert "Fetch it again" in failed.value.hint


def test_why_buffers_are_missing_is_what_is_told(daemon, paths):
    """Of a daemon whose disk is full: not that what was sent is not there."""
    buffers = underpaint.Buffers()
    refs = [buffers.add(underpaint.Kind.COLOR, np.full((8, 8, 3), i, np.uint8)) for i in range(40)]
    controls = tuple(underpaint.Control(underpaint.ControlKind.CANNY, image=r) for r in refs)
    request = underpaint.ImageRequest(underpaint.Prompt(), controls=controls)
    daemon.odd[m.BlobPut] = refusing(ErrorCode.DISK_FULL)
    with underpaint.connect(paths, start=False) as up:
        with pytest.raises(RequestError) as full:
            up.submit(request, buffers)
        assert full.value.code is ErrorCode.DISK_FULL
        daemon.odd[m.Submit] = refusing(ErrorCode.UNSUPPORTED, ProtocolError)
        with pytest.raises(ProtocolError):
            up.submit(underpaint.ImageRequest(underpaint.Prompt("x")))


def test_a_preview_that_is_no_picture_is_not_shown(daemon, paths):
    def depth_as_preview(channel: Channel, peer: bytes) -> m.Body:
        buffer = Buffer(BufferInfo("depth", "float32", (1, 1)), memoryview(bytes(4)))
        preview = message_types.message(m.Preview("odd", 1, 4), buffers=(buffer,))
        daemon.send(channel, preview, peer)
        return m.Snapshot(JobInfo("odd", "image", JobState.RUNNING, 1, 0.0, 0.0))

    request, buffers, _ = view_request()
    daemon.step_s = 60.0
    daemon.odd[m.Watch] = depth_as_preview
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers, job_id="odd")
        assert up.ping()
        assert not [event for event in job.take(1.0) if isinstance(event, underpaint.Preview)]


def test_jobs_of_a_daemon_from_before_queues_had_an_order_are_listed(
    daemon, paths, monkeypatch, capsys
):
    daemon.odd[m.QueueList] = refusing(ErrorCode.UNSUPPORTED, ProtocolError)
    daemon.jobs["old"] = JobInfo("old", "image", JobState.DONE, 1, 0.0, 30.0, "moss")
    monkeypatch.setenv("UNDERPAINT_DATA", str(paths.data))
    assert main(["jobs"]) == 0
    assert "moss" in capsys.readouterr().out
    daemon.odd[m.QueueList] = refusing(ErrorCode.PROTOCOL, ProtocolError)
    assert main(["jobs"]) != 0, "any other trouble is told"


def test_who_was_greeted_late_is_answered_all_the_same(daemon, paths):
    """A daemon that was too busy to greet: the connection is made anew, questions are kept."""
    daemon.deaf.set()
    with underpaint.connect(paths, start=False, wait=False) as up:
        early = up.later(up.models)
        wait_for(lambda: isinstance(up.why, ConnectionLost) and "hello" in up.why.message)
        daemon.deaf.clear()
        assert early.result(300)
