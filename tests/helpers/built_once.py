"""What takes long to build and nobody changes: made once for all processes of a test run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from underpaint.wire.locks import FileLock

from .processes import ROOT


def built_once(folders: pytest.TempPathFactory, name: str, *command: object) -> Path:
    """The folder that an installer's script (`command`, with `--out` of the folder) fills: by the
    first process that asks, while others wait."""
    base = folders.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    out, whole = shared / name, shared / f"{name}.whole"
    with FileLock(shared / f"{name}.lock") as lock:
        while not whole.exists():
            if lock.try_acquire():
                _build(command, out)
                whole.touch()
            else:
                time.sleep(0.05)
    return out


def _build(command: tuple[object, ...], out: Path) -> None:
    words = [sys.executable, *map(str, command), "--out", str(out)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for this machine, built by the command that users and releases run."""
    script = ROOT / "installers" / "build_extension.py"
    (built,) = built_once(tmp_path_factory, "extension", script).glob("*.zip")
    return built


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The three wheels of a release, by the names of their packages."""
    script = ROOT / "installers" / "build_wheels.py"
    built = built_once(tmp_path_factory, "wheels", script).glob("*.whl")
    return {wheel.name.partition("-")[0].replace("_", "-"): wheel for wheel in built}
