"""Events and snapshots of one job may come in any order; its end is never missed."""

from __future__ import annotations

import numpy as np

from underpaint.conversation.feed import Feed
from underpaint.errors import ConnectionLost, ErrorCode
from underpaint.events import Done, Failed, Preview
from underpaint.wire.messages import Event, JobInfo, JobState


def test_an_end_told_before_the_snapshot_is_not_lost():
    feed = Feed("job")
    feed.apply_event(Event("job", 2, state=JobState.DONE))
    assert not feed.ended
    feed.apply_snapshot(JobInfo("job", "image", JobState.RUNNING, 1, 0.0, 0.0))
    assert feed.ended
    assert feed.take()[-1] == Done("job")


def test_what_the_snapshot_already_tells_is_not_told_twice():
    feed = Feed("job")
    feed.apply_event(Event("job", 2, state=JobState.DONE))
    feed.apply_snapshot(JobInfo("job", "image", JobState.DONE, 2, 0.0, 0.0))
    assert feed.take() == [Done("job")]


def test_after_the_end_nothing_is_told():
    feed = Feed("job")
    feed.fail(ConnectionLost(ErrorCode.JOB_UNKNOWN, "gone"))
    feed.fail(ConnectionLost(ErrorCode.DAEMON_LOST, "and the daemon, too"))
    feed.apply_preview(Preview("job", 1, 4, np.zeros((1, 1, 3), np.uint8)))
    (event,) = feed.take()
    assert isinstance(event, Failed)
    assert event.error.code is ErrorCode.JOB_UNKNOWN


def test_a_job_that_failed_without_a_word_is_told_as_that():
    feed = Feed("job")
    feed.apply_snapshot(JobInfo("job", "image", JobState.FAILED, 1, 0.0, 0.0))
    (event,) = feed.take()
    assert "does not say why" in event.error.message
