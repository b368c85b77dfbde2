"""A series under way, as the add-on sees it: started, followed, cancelled. No bpy; nothing blocks.

The daemon's Python paints it in a process of its own, as the command line would, from a copy of
the scene that a second Blender without a window captures: the artist can go on working.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from underpaint.conversation.progress import rounded
from underpaint.conversation.usual import Wait
from underpaint.errors import ErrorCode, JobFailed, UnderpaintError, error_from_dict
from underpaint.launcher import daemon_environment, daemon_python
from underpaint.paths import Paths

_MOST_WORDS = 400


@dataclass(slots=True, eq=False)
class Animating:
    """`scene`: the name of the one that it is of. `done` of `total` frames; `eta_s`: seconds left,
    once known. `doing`: what goes on before the first, since when and for how long as a rule
    (`wait`). `ended`: painted, cancelled or failed; empty while it runs. `taken`: the end has
    been shown."""

    folder: Path
    scene: str
    done: int = 0
    total: int = 0
    eta_s: float | None = None
    doing: str = ""
    wait: Wait = field(default_factory=lambda: Wait(time.monotonic()))
    note: str = ""
    ended: str = ""
    pictures: tuple[Path, ...] = ()
    movie: Path | None = None
    error: UnderpaintError | None = None
    taken: bool = False
    _process: subprocess.Popen[str] | None = None
    _said: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    @property
    def line(self) -> str:
        """E.g. `3/24, 2 min`; empty before the first frame."""
        if not self.total or self.doing:
            return ""
        left = "" if self.eta_s is None else f", {_told(self.eta_s)}"
        return f"{self.done}/{self.total}{left}"

    @property
    def left(self) -> str:
        """E.g. `20 s`: until what goes on before the first frame is probably over; empty where that
        is not known."""
        left = self.wait.left_s(time.monotonic())
        return "" if left is None else _told(left)

    @property
    def fraction(self) -> float:
        """How much is done, 0–1; before the first frame, of what goes on then."""
        if self.doing:
            return self.wait.part(time.monotonic()) or 0.0
        return self.done / self.total if self.total else 0.0

    def cancel(self) -> None:
        """Ask for the end; what is painted stays, and it can be gone on with."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def take(self, line: str) -> None:
        """Take in one line of what paints."""
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            self._said.append(line.strip())
        elif "note" in told:
            self.note = told["note"]
        elif "doing" in told:
            self.doing, self.wait = told["doing"], Wait(time.monotonic(), told["usual_s"])
        elif "ended" in told:
            self.pictures = tuple(map(Path, told.get("pictures", ())))
            self.movie = Path(told["movie"]) if told.get("movie") else None
            self.error = error_from_dict(told["error"]) if "error" in told else None
            self.ended = told["ended"]
        elif "done" in told:
            self.done, self.total, self.eta_s = told["done"], told["total"], told["eta_s"]
            self.doing = "" if self.done else self.doing

    def follow(self) -> None:
        """Read what it tells until it is gone; runs in a thread."""
        process = self._process
        assert process is not None
        for line in _output(process):
            self.take(line)
        code = process.wait()
        if not self.ended:
            why = " ".join(self._said) or f"exit code {code}"
            self.error = JobFailed(
                ErrorCode.INTERNAL,
                f"the animation ended early: {why[-_MOST_WORDS:]}",
                hint="Press Go On: the frames that are painted are kept.",
            )
            self.ended = "failed"


def start(paths: Paths, folder: Path, scene: str) -> Animating:
    """Paint the series of a folder, or go on with it. Raises ConnectionLost, OSError."""
    animating, python = Animating(folder, scene), daemon_python(paths)
    animating._process = subprocess.Popen(
        [python, "-m", "underpaint.animation", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=daemon_environment(paths, python, os.environ),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    threading.Thread(target=animating.follow, name="underpaint-animation", daemon=True).start()
    return animating


def _told(seconds: float) -> str:
    number, minutes = rounded(seconds)
    return f"{number} min" if minutes else f"{number} s"


def unfinished(folder: str) -> bool:
    """Whether a folder has a series that was stopped."""
    path = Path(folder)
    return bool(folder) and (path / "job.json").exists() and not (path / "report.json").exists()


def _output(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout
