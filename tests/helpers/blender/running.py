"""Running a script of behaviours in a real Blender, as a user of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from underpaint.blenders import Blender
from underpaint.errors import ConnectionLost
from underpaint.paths import user_paths
from underpaint.wire.connection import read_connection

from ..processes import TESTS

PAINTER = "helpers.blender.depth_painter:build_runner"


def run(
    blender: Blender,
    script: Path,
    folder: Path,
    extension: Path,
    python: Path,
    words: Sequence[str] = (),
) -> dict:
    """Run a script of behaviours (all, or those in `words`) in a clean user folder; its report."""
    env = user_environment(folder, python)
    try:
        return run_once(blender, script, folder, env, [str(extension), *words])
    finally:
        end_daemon(env)


def user_environment(folder: Path, python: Path) -> dict[str, str]:
    """One user's folders, home and temporary ones too, and the Python of the daemon."""
    homes = {"HOME": folder / "home", "TMPDIR": folder / "tmp"}
    for home in homes.values():
        home.mkdir(exist_ok=True)
    return {
        **os.environ,
        **{name: str(home) for name, home in homes.items()},
        "BLENDER_USER_RESOURCES": str(folder / "user"),
        "UNDERPAINT_DATA": str(folder / "data"),
        "UNDERPAINT_CACHE": str(folder / "cache"),
        "UNDERPAINT_PYTHON": str(python),
    }


def run_once(
    blender: Blender, script: Path, folder: Path, env: dict[str, str], words: list[str]
) -> dict:
    """Start a Blender with a script, and wait until it has closed; what it reports."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        blender.command(script, [str(report), *words]),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env=env,
    )
    assert report.exists(), done.stdout + done.stderr
    return json.loads(report.read_text())


def end_daemon(env: dict[str, str]) -> None:
    try:
        os.kill(read_connection(user_paths(env).connection_file).pid, signal.SIGKILL)
    except (ConnectionLost, ProcessLookupError):
        return


def painter(folder: Path) -> Path:
    """A daemon's Python whose daemon paints with `depth_painter`."""
    python = folder / "python"
    python.write_text(
        f'#!/bin/sh\nexport PYTHONPATH="{TESTS}:$PYTHONPATH"\n'
        f'exec "{sys.executable}" "$@" --runner {PAINTER} --idle-exit 5\n'
    )
    python.chmod(0o755)
    return python
