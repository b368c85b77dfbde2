"""Events and snapshots of one job may come in any order; its end is never missed."""

from __future__ import annotations

from underpaint.conversation.feed import Feed
from underpaint.events import Done
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
