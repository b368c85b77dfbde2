"""Something in the daemon waits for what does not come: pings and cancels are answered all the
same, and work goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import ImageRequest, Prompt
from underpaint.wire.messages import JobState

from helpers.daemon.real_daemon import wait_for

ANSWER_S = 0.3
STARTER = Path(__file__).parents[2] / "daemon" / "underpaint_daemon" / "starter_model"


def asked(prompt: str) -> ImageRequest:
    return ImageRequest(Prompt(prompt))


@contextmanager
def locked_table(daemon) -> Iterator[None]:
    """As a backup or a table viewer does it."""
    with contextlib.closing(sqlite3.connect(daemon.paths.data / "jobs.db")) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.rollback()


def usual_ping(up, count: int = 100) -> float:
    """The median, in seconds: one may be late where a machine has other things to do."""
    times = []
    for _ in range(count):
        began = time.monotonic()
        up.ping()
        times.append(time.monotonic() - began)
    return statistics.median(times)


def test_a_locked_job_table_holds_up_neither_ping_nor_cancel(daemon):
    up = daemon.client()
    job = up.submit(asked("steps=2000 seconds=0.02"))
    wait_for(lambda: job.info.state is JobState.RUNNING)
    with locked_table(daemon):
        with pytest.raises(UnderpaintError) as refusal:
            up.submit(asked("steps=1"))
        assert refusal.value.code is ErrorCode.FILE
        assert "jobs.db" in refusal.value.message
        job.cancel()
        assert usual_ping(up) < ANSWER_S
    wait_for(lambda: job.info.state is JobState.CANCELLED)
    assert up.submit(asked("steps=1")).result(120)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a named pipe in a folder")
def test_a_model_folder_that_does_not_answer_holds_up_only_who_lists_it(daemon):
    """A FIFO that nobody writes stands for a network disk that is gone."""
    broken = daemon.paths.models / "on_a_dead_disk"
    shutil.copytree(STARTER, broken, ignore=shutil.ignore_patterns("*.safetensors", "loras"))
    config = broken / "unet" / "config.json"
    config.unlink()
    os.mkfifo(config)
    up = daemon.client()
    listing = up.later(up.models)
    job = up.submit(asked("steps=3 bytes=1000000"))
    (file,) = job.result(120)
    assert len(file.data) == 1_000_000
    assert up.ping(timeout=300)
    assert not listing.done()
    config.write_text("{}")  # the disk is back
    assert [model.name for model in listing.result(120)] == ["starter", "on_a_dead_disk"]
