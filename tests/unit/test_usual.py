"""How long a wait still takes, by how long it took before."""

from __future__ import annotations

import io

import pytest

from underpaint.cli.terminal.progress_line import ProgressLine
from underpaint.conversation.usual import Wait, learn, learned, usual_s
from underpaint.paths import Paths


@pytest.fixture
def paths(tmp_path) -> Paths:
    return Paths(tmp_path / "run", tmp_path / "data", tmp_path / "cache")


def test_what_was_measured_is_usual_the_next_time(paths):
    assert usual_s(paths, "daemon") is None
    for seconds in (2.0, 90.0, 3.0):
        learn(paths, "daemon", seconds)
    assert usual_s(paths, "daemon") == 3.0, "one slow time is not usual"
    assert usual_s(paths, "capture") is None
    for _ in range(5):
        learn(paths, "daemon", 8.0)
    assert usual_s(paths, "daemon") == 8.0, "the last ones count"


def test_what_fails_teaches_nothing_and_a_damaged_file_is_no_trouble(paths):
    with pytest.raises(RuntimeError), learned(paths, "daemon"):
        raise RuntimeError
    assert usual_s(paths, "daemon") is None
    paths.cache.mkdir()
    (paths.cache / "usual.json").write_text("[1")
    with learned(paths, "daemon") as before:
        assert before is None
    assert usual_s(paths, "daemon") is not None
    (paths.cache / "usual.json").write_text('{"daemon": [NaN, Infinity, -1, 4]}')
    assert usual_s(paths, "daemon") == 4.0


def test_a_wait_tells_what_is_left_and_nothing_once_it_takes_longer():
    wait = Wait(100.0, 10.0)
    assert (wait.part(104.0), wait.left_s(104.0)) == (0.4, 6.0)
    assert (wait.part(120.0), wait.left_s(120.0)) == (0.95, None)
    assert (Wait(100.0).part(104.0), Wait(100.0).left_s(104.0)) == (None, None)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_seconds_that_a_capture_still_takes(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    now, shown = [100.0], Terminal()
    line = ProgressLine(shown, clock=lambda: now[0])
    line.doing("capturing in Blender", logged=False, usual_s=40.0)
    for at, told in ((110.0, "25 %, 30 s left"), (145.0, "45 s so far")):
        now[0] = at
        shown.truncate(0)
        line.note("x")  # draws it anew
        assert f"capturing in Blender, {told}" in shown.getvalue()
    line.end()
