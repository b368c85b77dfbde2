"""An environment counts only when it has painted. Stdlib only."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from running import run
from telling import StepFailed, tell_step

_PROMPT = "a red clay head on sand"


def paint(python: Path) -> None:
    """Let this Python's daemon, in folders of its own, paint one small picture with the starter.

    Raises StepFailed when there is none."""
    tell_step("trial", "painting a test picture")
    # Sockets have short paths: not below the environment.
    folder = Path(tempfile.mkdtemp(prefix="underpaint-trial-"))
    environ = {**os.environ, "UNDERPAINT_PYTHON": str(python)}
    environ |= {"UNDERPAINT_DATA": str(folder / "data"), "UNDERPAINT_CACHE": str(folder / "cache")}
    command = [str(python), "-m", "underpaint.cli.main"]
    words = ["generate", "--prompt", _PROMPT, "--size", "128x128", "--out", str(folder / "out")]
    try:
        run([*command, *words], "paint a test picture", environ=environ)
        pictures = list((folder / "out").rglob("*.png"))
        if not pictures or not pictures[0].stat().st_size:
            raise StepFailed("the test picture is missing", "Press Repair: it makes all anew.")
    finally:
        _end(command, environ)
        shutil.rmtree(folder, ignore_errors=True)


def _end(command: list[str], environ: dict[str, str]) -> None:
    try:
        run([*command, "daemon", "stop"], "end the test's daemon", environ=environ)
    except StepFailed:
        return  # it never started: what is told is why
