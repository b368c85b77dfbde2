"""One line that says how far a job is as a whole, and how long it still takes."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TextIO

from ...conversation.progress import STARTING, Course, told_left
from ...conversation.usual import Wait
from ...events import JobEvent, Progress, StateChanged, Warning_
from ...wire.records import JobState, ProgressInfo

_WIDTH = 24
_BEAT_S = 0.5
_LOG_EVERY_S = 30.0
_LATE_S, _LATE = 5.0, 0.5  # seconds, and a part of what was expected: more than that is much
_CLEAR = "\r\x1b[K"
PHASES = {
    STARTING: "starting the painter",
    "loading": "loading the model",
    "yielding": "waiting for the GPU",
    "unwrapping": "unwrapping",
    "encoding": "preparing",
    "denoising": "painting",
    "decoding": "finishing",
    "projecting": "laying it on the mesh",
    "saving": "saving",
}
"""What is read of each phase."""


def told_phase(progress: ProgressInfo) -> str:
    """E.g. `painting 3/10`."""
    words = PHASES.get(progress.phase, progress.phase)
    steps = f" {progress.step}/{progress.total}" if progress.total > 1 and progress.step else ""
    return words + steps


@dataclass(frozen=True, slots=True)
class _Now:
    """What goes on. `part`: of the whole, 0–1, None where nothing is known of it. `at`: when it was
    told (where `part` is None: when it began), by a monotonic clock. `after_s`: what comes after
    this job will take so long. `usual_s`: how long it usually takes, where `part` is None.
    `stands`: nothing is known of its end, so that its seconds are counted."""

    text: str
    part: float | None
    left_s: float | None
    at: float
    after_s: float = 0.0
    usual_s: float | None = None
    stands: bool = False

    def later(self, now: float) -> _Now:
        """It as it probably is by now."""
        wait = Wait(self.at, self.usual_s)
        part = wait.part(now) if self.part is None else None
        if part is None or wait.left_s(now) is None:
            return self
        return replace(self, part=part, left_s=wait.left_s(now), at=now)

    def is_late(self, now: float) -> bool:
        """Whether it takes much longer than was to be thought when it was told."""
        expected = self.usual_s if self.part is None else self.left_s
        if not expected or (self.part or 0.0) >= 1:
            return False
        return now - self.at > expected + max(_LATE_S, _LATE * expected)


class ProgressLine:
    """One line that is rewritten on a terminal, where it counts the seconds meanwhile; in a log a
    line at each new phase, and each half minute of a long one, also where nothing is told of it;
    none that says what the last one said.
    Thread-safe."""

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        log_every_s: float = _LOG_EVERY_S,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock, self._log_every_s = clock, log_every_s
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._blocks = "█·" if _writes(self._stream, "█·") else "#."
        self._lock = threading.RLock()
        self._course, self._began = Course(), clock()
        self._now: _Now | None = None
        self._logged, self._logged_at, self._last = "", clock(), ""
        self.about = ""
        """What stands before all that is said, as `3/20 chair.obj: `."""
        self.after = 0
        """How many jobs like this one come after it."""
        self.each_s: float | None = None
        """What one of them has taken so far; None: as this one."""
        self._over: threading.Event | None = None

    def job(self, *, texture: bool) -> None:
        """What follows is the progress of a job. `texture`: whether it paints a mesh."""
        self._course, self._began = Course(texture), self._clock()

    def show(self, phase: str, step: int, total: int, eta_s: float | None) -> None:
        """What the daemon tells of the job. `eta_s`: seconds to the end of that phase."""
        now = self._clock()
        self._course.take(phase, step, total, eta_s, now)
        words = PHASES.get(phase, phase)
        if phase == STARTING or (eta_s is not None and not step):  # told by what it took before
            self.doing(words, usual_s=eta_s)
            return
        told = told_phase(ProgressInfo(phase, step, total))
        left = self._course.left_s(now)
        each = self.each_s or now - self._began + (left or 0.0)
        part, after = self._course.part, self.after * each
        stands = left is None and step in (0, total)
        self._told(words, _Now(told, part, left, now, after, stands=stands))

    def event(self, event: JobEvent) -> None:
        """What a job tells, one event after another."""
        match event:
            case Progress():
                self.show(event.phase, event.step, event.total, event.eta_s)
            case Warning_():
                self.note(f"note: {event.text}")
            case StateChanged() if event.state is JobState.STARTING:
                self.doing(PHASES[STARTING], logged=False)

    def part(self, text: str, done: int, total: int, left_s: float | None) -> None:
        """`done` of `total`; `text` says of what. `left_s`: seconds to the end, once known."""
        told = f"{text} {done}/{total}" if done else text
        self._told(told, _Now(told, done / max(total, 1), left_s, self._clock()))

    def doing(self, text: str, *, logged: bool = True, usual_s: float | None = None) -> None:
        """Something that tells nothing of itself; its seconds are counted, up to those that it
        usually takes, where that is known. `logged`: whether a log is told, too."""
        if self._live or logged:
            self._told(text, _Now(text, None, None, self._clock(), usual_s=usual_s))

    def wait(self, why: str, more: str = "") -> None:
        """Why the job does not begin yet. `more`: what a log is not told again when it changes."""
        self._told(why, _Now(why + more, None, None, self._began))

    def note(self, text: str) -> None:
        """A line of its own, e.g. a warning."""
        with self._lock:
            self._write(f"{_CLEAR}{text}\n" if self._live else f"{text}\n")
            self._redraw()

    def end(self) -> None:
        """Nothing goes on any more; the line is taken away."""
        with self._lock:
            if self._over is not None:
                self._over.set()
            if self._live and self._now is not None:
                self._write(_CLEAR)
            self._over = self._now = None

    def _told(self, words: str, now: _Now) -> None:
        with self._lock:
            self._now = now
            self._beat()
            if self._live:
                self._redraw()
            elif words != self._logged or self._is_due():
                self._logged = words
                self._log(now)

    def _log(self, now: _Now) -> None:
        self._logged_at = at = self._clock()
        line = f"{self.about}{_said(now.later(at), at)}\n"
        if line != self._last:
            self._last = line
            self._write(line)

    def _beat(self) -> None:
        """Have the line redrawn, or written again, while nothing is told."""
        if self._over is None:
            self._over = threading.Event()
            beating = threading.Thread(target=self._beats, args=(self._over,), daemon=True)
            beating.start()

    def _beats(self, over: threading.Event) -> None:
        while not over.wait(_BEAT_S if self._live else self._log_every_s):
            with self._lock:
                if over.is_set():
                    return
                if self._live:
                    self._redraw()
                elif self._now is not None and self._is_due():
                    self._log(self._now)

    def _is_due(self) -> bool:
        return self._clock() - self._logged_at >= self._log_every_s

    def _redraw(self) -> None:
        if not self._live or self._now is None:
            return
        room = max(shutil.get_terminal_size().columns - 1, 20)
        now = self._now.later(self._clock())
        line = self._bar(now.part) + self.about + _said(now, self._clock())
        self._write(f"{_CLEAR}{line[:room]}")

    def _write(self, text: str) -> None:
        """To whom it may concern: a painting does not fail because nobody looks any more."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()

    def _bar(self, part: float | None) -> str:
        if part is None:
            return ""
        filled = int(_WIDTH * part)
        return self._blocks[0] * filled + self._blocks[1] * (_WIDTH - filled) + " "


def _said(now: _Now, at: float) -> str:
    """E.g. `painting 3/10, 25 %, 40 s left`; `capturing the scene, 4 s so far`; `saving, 82 %,
    longer than usual: 40 s so far`; of a job of many `painting 3/10, 25 %, 40 s left, of all 12 min
    left`."""
    percent = round(100 * now.part) if now.part else 0
    said = f"{now.text}, {percent} %" if percent else now.text
    if now.is_late(at):
        return f"{said}, longer than usual: {int(at - now.at)} s so far"
    if now.part is None or now.stands:
        seconds = int(at - now.at)
        return f"{said}, {seconds} s so far" if seconds else said
    if now.left_s is None or now.part >= 1:
        return said
    left = max(now.left_s - (at - now.at), 0.0)
    of_all = f", of all {told_left(left + now.after_s)}" if now.after_s else ""
    return f"{said}, {told_left(left)}{of_all}"


def _writes(stream: TextIO, text: str) -> bool:
    """Whether the stream's encoding has signs for a text."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
