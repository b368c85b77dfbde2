"""What a terminal and a log are told: of progress, of the queue, of the daemon, of a texture."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from underpaint.cli.daemon import status_lines
from underpaint.cli.output import told_seconds
from underpaint.cli.queue.jobs import job_line, whole_id
from underpaint.cli.queue.turn import standing
from underpaint.cli.terminal.progress_line import ProgressLine
from underpaint.errors import ErrorCode, RequestError
from underpaint.wire.messages import Queue, StatusOk
from underpaint.wire.records import JobInfo, JobState, ProgressInfo
from underpaint_daemon.tools.assets.told_figures import told_figures


class Log:
    """A log file's stream, and a clock that is set by hand."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        self.stream = io.TextIOWrapper(self.bytes, encoding=encoding, write_through=True)
        self.now = 0.0
        self.line = ProgressLine(self.stream, clock=lambda: self.now)

    @property
    def lines(self) -> list[str]:
        return self.bytes.getvalue().decode(self.stream.encoding).splitlines()


def job(state: JobState, id: str) -> JobInfo:
    return JobInfo(id, "image", state, 1, 1000.0, 1030.0)


def test_a_log_has_a_line_for_each_phase_and_each_half_minute() -> None:
    log = Log()
    log.line.job(texture=True)
    log.line.show("encoding", 0, 1, None)
    for step in range(1, 11):
        log.now += 8
        log.line.show("denoising", step, 10, None if step == 1 else 8.0 * (10 - step))
    told = log.lines
    assert told[0].startswith("preparing")
    assert told[1].startswith("painting 1/10, ")
    assert [line.split(",")[0] for line in told[2:]] == ["painting 5/10", "painting 9/10"]
    assert told[-1].endswith("min left")


def test_a_log_goes_on_telling_of_a_model_that_loads_for_minutes() -> None:
    log, seconds = Log(), itertools.count()
    line = ProgressLine(log.stream, clock=lambda: float(next(seconds)), log_every_s=0.01)
    line.show("loading", 0, 1, None)
    while len(log.lines) < 3:  # nothing more is told of it
        time.sleep(0.01)
    line.end()
    assert all(re.fullmatch(r"loading the model, \d+ s so far", told) for told in log.lines)
    assert len(set(log.lines)) == len(log.lines)


def test_what_takes_much_longer_than_was_told_says_so_and_no_line_comes_twice() -> None:
    log = Log()
    line = ProgressLine(log.stream, clock=lambda: log.now, log_every_s=0.001)
    line.job(texture=False)
    line.show("denoising", 1, 8, 0.0)
    log.now = 9.0
    line.show("denoising", 8, 8, 0.0)
    for log.now in (10.0, 10.1):
        line.show("saving", 0, 1, None)
    assert re.fullmatch(r"saving, \d+ %, 1 s left", log.lines[-1])
    for log.now, late in ((40.5, 30), (70.5, 60)):
        _logged(log, f", longer than usual: {late} s so far")
    line.show("loading", 0, 1, 20.0)
    log.now += 32
    _logged(log, "loading the model, longer than usual: 32 s so far")
    line.end()
    assert len(set(log.lines)) == len(log.lines)


def _logged(log: Log, ending: str) -> None:
    """Wait until the last line ends so."""
    began = time.monotonic()
    while not log.lines[-1].endswith(ending):
        assert time.monotonic() - began < 300, log.lines
        time.sleep(0.01)


def test_a_log_has_a_line_when_the_place_in_the_queue_changes_and_for_the_start() -> None:
    log = Log()
    jobs = [job(JobState.RUNNING, "a"), job(JobState.QUEUED, "b"), job(JobState.QUEUED, "c")]
    for step in (3, 4):
        progress = ProgressInfo("denoising", step, 10, 40.0 - step)
        jobs[0] = replace(jobs[0], progress=progress)
        log.line.wait(*standing(Queue(tuple(jobs)), "c"))
    log.line.wait(*standing(Queue(tuple(jobs[1:]), paused=True), "c"))
    log.line.show("starting", 0, 1, 12.0)
    log.line.show("loading", 0, 1, 30.0)
    assert log.lines == [
        "waiting: 2 jobs before it, now painting 3/10 (35 s left)",
        "waiting: the queue is paused: `underpaint jobs resume`; 1 job before it",
        "starting the painter, 10 s left",
        "loading the model, 30 s left",
    ]


def test_a_job_that_is_next_waits_for_nobody_and_one_that_is_held_says_so() -> None:
    held = replace(job(JobState.QUEUED, "b"), paused=True)
    queue = Queue((held, job(JobState.QUEUED, "c")))
    assert standing(queue, "c") == ("", ""), "others pass what is held"
    assert standing(queue, "b")[0] == "waiting: it is paused: `underpaint jobs resume b`"
    assert standing(queue, "a") == ("", "")


def test_a_painting_goes_on_when_nobody_looks_any_more() -> None:
    log = Log()
    log.stream.close()
    log.line.show("loading", 0, 1, None)
    log.line.note("note: moss")
    log.line.end()


def test_one_of_many_says_which() -> None:
    log = Log()
    log.line.about = "3/20 chair.obj: "
    log.line.show("loading", 0, 1, None)
    assert log.lines == ["3/20 chair.obj: loading the model"]


def test_a_folder_says_how_long_all_of_it_still_takes() -> None:
    log = Log()

    def one_mesh(after: int) -> str:
        log.line.after = after
        log.line.job(texture=True)
        for step in range(1, 11):
            log.now += 40
            log.line.show("denoising", step, 10, 40.0 * (10 - step))
        return log.lines[-1]

    told = one_mesh(3)
    here, all_of_it = (float(words.split()[-3]) for words in (told.split(", of all")[0], told))
    assert told.endswith(" h left"), told
    as_this_one = here + 3 * (400 / 60 + here)
    assert all_of_it * 60 == pytest.approx(as_this_one, abs=6), "while none of the others is done"
    log.line.each_s = 3600.0
    assert one_mesh(2).endswith(", of all 2.5 h left"), "this one and two of an hour"
    assert "of all" not in one_mesh(0), "the last one's time is that of all"


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_terminal_has_one_line_with_the_whole_and_the_time_left(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    ours, theirs = os.openpty()
    with open(theirs, "w", encoding=encoding) as terminal:
        line = ProgressLine(terminal, clock=lambda: 0.0)
        line.doing("capturing in Blender")
        begun = _until(ours, b"capturing in Blender", 2)  # it beats: a second time without a word
        line.part("painting frames", 3, 12, 90.0)
        line.end()
    told = (begun + _all_of(ours)).decode(encoding)
    os.close(ours)
    full, empty = ("█", "·") if encoding == "utf-8" else ("#", ".")
    assert told.startswith("\r\x1b[Kcapturing in Blender\r\x1b[K")
    assert f"{full * 6}{empty * 18} painting frames 3/12, 25 %, 2 min left" in told
    assert told.endswith("\r\x1b[K"), "it is gone when it is over"
    assert "\n" not in told


def test_the_queue_says_when_a_job_was_asked_for_and_its_place() -> None:
    def told(state: JobState, **more: object) -> str:
        told = replace(job(state, "a" * 32), title="moss", **more)  # type: ignore[arg-type]
        return job_line(told, now=1000.0 + 7200)

    assert told(JobState.QUEUED, position=3).split()[1:4] == ["waiting,", "3", "before"]
    assert "  2 h ago" in told(JobState.DONE)
    assert "done after 30 s" in told(JobState.DONE)
    assert "painting 3/8" in told(JobState.RUNNING, progress=ProgressInfo("denoising", 3, 8))
    assert told(JobState.FAILED).endswith("image    moss")


def test_the_start_of_an_id_will_do_where_one_job_has_it() -> None:
    ids = ["34d7" + "0" * 28, "34d9" + "0" * 28]
    jobs: Callable[[], list[JobInfo]] = lambda: [  # noqa: E731
        JobInfo(job, "image", JobState.DONE, 1, 0.0, 0.0) for job in ids
    ]
    assert whole_id("34d7", jobs) == ids[0]
    assert whole_id("f" * 32, jobs) == "f" * 32, "the daemon knows best"
    for given, said in (("34d", "2 jobs begin"), ("7", "there is no job 7"), ("", "no job")):
        with pytest.raises(RequestError, match=said) as refused:
            whole_id(given, jobs)
        assert refused.value.code is ErrorCode.JOB_UNKNOWN


def test_the_daemons_status_is_words_and_no_python() -> None:
    status = StatusOk(
        "e", 42, "0.1.0", 3700.0, 0, None, "idle", 43, "cpu", {"rss": 3 * 2**30, "age_s": 0.5}
    )
    told = "\n".join(status_lines(asdict(status)))
    assert "running   for 62 min, version 0.1.0" in told
    assert "painter   ready, 3.0 GiB of memory" in told
    assert "waiting   no jobs" in told
    for python in ("None", "{", "rss"):
        assert python not in told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-5.0, "0 s"), (59.0, "59 s"), (150.0, "2 min"), (7200.0, "2 h"), (2e6, "23 days")],
)
def test_lengths_of_time_are_told_shortly(seconds: float, told: str) -> None:
    assert told_seconds(seconds) == told


def test_a_textures_figures_say_what_is_usual() -> None:
    figures = {
        **{"views": 10, "texels": 515805, "coverage_fraction": 0.972, "strict_fraction": 0.94},
        **{"filled_fraction": 0.02, "beside_fraction": 0.006, "bare_fraction": 0.0},
        **{"overlap_psnr_db": 19.2, "sharpness_ratio": float("nan"), "uv_stretch": 1.2},
        **{"faces_in": 8, "faces_out": 8, "max_uv_delta": 3e-8, "remarks": []},
    }
    told = list(told_figures(figures))
    assert (
        told[0]
        == "seen       97% of what was to be painted by 10 views, 94% well (usual: 80% and more)"
    )
    assert "0.0% is bare (0 is right)" in told[1]
    assert "usual: 12 and more" in told[2]
    assert told[3] == "mesh       8 faces in, 8 out, nothing moved"
    assert told[4].split() == ["uv_stretch", "1.2"]
    assert len(told) == 5, "nothing of what was not measured"


def _until(terminal: int, said: bytes, times: int) -> bytes:
    """What was written by the time that something has been said so often."""
    told = b""
    while told.count(said) < times:
        told += os.read(terminal, 4096)
    return told


def _all_of(terminal: int) -> bytes:
    """A terminal hands over what was written in pieces; its end is an error (EIO)."""
    told = b""
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 4096):
            told += piece
    return told
