"""The installer as the add-on sees it: started, followed, cancelled. No bpy; nothing blocks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import tomllib
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.paths import Paths

_HERE = Path(__file__).parent
_ROOT = _HERE.parent
OUTSIDE = _HERE / "outside"
CONSTRAINTS = _HERE / "constraints.txt"
PACKAGES = _HERE / "packages"
"""The daemon's wheel, which the extension carries."""
_MEGA, _MINUTE = 1e6, 60.0
_OF_HOST = ("PYTHONPATH", "PYTHONHOME", "PYTHONEXECUTABLE", "VIRTUAL_ENV")
_MOST_WORDS = 400


@dataclass(frozen=True, slots=True)
class Choice:
    """`action`: install or remove. `wheelhouse`: a folder with every package; empty asks the
    index. `fresh`: make all anew. `hardware`: auto, a name of uv's torch backends, or index (as
    the package index has it). `torch_index`: a mirror of PyTorch's own index, or empty."""

    action: str = "install"
    wheelhouse: str = ""
    fresh: bool = False
    hardware: str = "auto"
    torch_index: str = ""


@dataclass(slots=True, eq=False)
class Installing:
    """One run. `text`: what is done now. `overall`: 0–1. `done`, `total`: bytes of the download
    that runs now, 0 when unknown. `ended`: ready, removed, cancelled or failed; empty while it
    runs. `python`: the daemon's, when ready."""

    action: str
    text: str = "starting"
    overall: float = 0.0
    done: int = 0
    total: int = 0
    eta_s: float | None = None
    ended: str = ""
    python: str = ""
    error: UnderpaintError | None = None
    _process: subprocess.Popen[str] | None = None
    _said: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    @property
    def numbers(self) -> str:
        """What stands behind the text, e.g. `: 312/780 MB, 2 min`."""
        size = f": {self.done / _MEGA:.0f}/{self.total / _MEGA:.0f} MB" if self.total else ""
        return f"{size}{_duration(self.eta_s)}"

    def cancel(self) -> None:
        """Ask for the end; what has come is kept for the next time."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def wait(self, seconds: float) -> None:
        """For background mode: until it has ended."""
        if self._process is not None:
            self._process.wait(seconds)
        for thread in threading.enumerate():
            if thread.name == _thread_name(self):
                thread.join(seconds)

    def take(self, line: str) -> None:
        """Take in one line of the installer's."""
        try:
            told = json.loads(line)
        except ValueError:
            self._said.append(line.strip())
            return
        if "ended" in told:
            self.python = told.get("python", "")
            if told["ended"] == "failed":
                self.error = RequestError(
                    ErrorCode.INSTALL_FAILED, told["message"][:_MOST_WORDS], hint=told["hint"]
                )
            self.ended = told["ended"]
            return
        self.text, self.overall = told["text"], told["overall"]
        self.done, self.total = told.get("done", 0), told.get("total", 0)
        self.eta_s = told.get("eta_s")

    def follow(self) -> None:
        """Read what the installer tells until it is gone; runs in a thread."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        for line in process.stdout:
            self.take(line)
        code = process.wait()
        if not self.ended:
            why = " ".join(self._said) or f"exit code {code}"
            hint = "Press Install again: finished steps are kept."
            message = f"the installer ended early: {why[-_MOST_WORDS:]}"
            self.error = RequestError(ErrorCode.INSTALL_FAILED, message, hint=hint)
            self.ended = "failed"


def start(paths: Paths, choice: Choice) -> Installing:
    """Start the installer in a process of its own. Raises OSError."""
    installing = Installing(choice.action)
    installing._process = subprocess.Popen(
        command(paths, choice),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={key: value for key, value in os.environ.items() if key not in _OF_HOST},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    name = _thread_name(installing)
    threading.Thread(target=installing.follow, name=name, daemon=True).start()
    return installing


def command(paths: Paths, choice: Choice) -> list[str]:
    """The installer's command line, in the Python that Blender runs on."""
    words = [sys.executable, "-E", "-s", str(OUTSIDE), choice.action, "--version", version()]
    words += ["--data", str(paths.data), "--cache", str(paths.cache)]
    words += ["--constraints", str(CONSTRAINTS), "--own", str(_ROOT / "wheels"), str(PACKAGES)]
    words += ["--hardware", choice.hardware]
    if choice.wheelhouse:
        words += ["--wheelhouse", choice.wheelhouse]
    if choice.torch_index:
        words += ["--torch-index", choice.torch_index]
    return [*words, "--fresh"] if choice.fresh else words


def version() -> str:
    """The add-on's version, which is the daemon's."""
    manifest = (_ROOT / "blender_manifest.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(manifest)["version"])


def installed(paths: Paths) -> str:
    """The Python of the daemon that this button installed, or "". Reads one small file."""
    try:
        python = json.loads((paths.data / "daemon.json").read_text(encoding="utf-8"))["python"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    ours = Path(python).is_relative_to(paths.data / "environments")
    return str(python) if ours and Path(python).exists() else ""


def unfinished(paths: Paths) -> bool:
    """Whether something is left of an interrupted installation or removal."""
    return any((paths.data / "environments").glob("*/underpaint-environment.json"))


def _thread_name(installing: Installing) -> str:
    return f"underpaint-installing-{id(installing)}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", {seconds / _MINUTE:.0f} min" if seconds > _MINUTE else f", {seconds:.0f} s"
