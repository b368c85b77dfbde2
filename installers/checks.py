"""What `bootstrap.py test` runs: linters, types, then the suite in two halves.

--quick        only what takes seconds: no Blender, no model, no long test
--coverage     measure lines and branches too, by folder, and hold the floors
anything else  goes to pytest
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from environments import ROOT, say

SOURCES = ("protocol", "daemon", "installers", "blender_addon", "tests")
QUICK = ("tests/unit", "tests/protocol", "tests/daemon", "tests/docs", "tests/packages")
_WORKERS = 2
"""Test processes side by side: a daemon and a worker of each want a core, a model 1 to 2 GB."""


def run_checks(python: Path, arguments: list[str]) -> int:
    """Everything; the first code that is not 0."""
    quick, measured = "--quick" in arguments, "--coverage" in arguments
    rest = [word for word in arguments if word not in ("--quick", "--coverage")]
    steps = [
        ["-m", "ruff", "check", *SOURCES],
        ["-m", "ruff", "format", "--check", *SOURCES],
        ["-m", "mypy"],
        _suite(rest, quick=quick, measured=measured),
    ]
    codes = [_step(python, step) for step in steps]
    if measured:
        codes.append(_step(python, [str(ROOT / "installers" / "coverage_floors.py")]))
    return next((code for code in codes if code), 0)


def _suite(rest: list[str], *, quick: bool, measured: bool) -> list[str]:
    # In the order of tests/conftest.py: the longest files first, not those of the most tests.
    spread = ["-n", str(_WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"]
    pytest = ["-m", "pytest", *spread]
    if quick:
        pytest += ["-m", "not slow and not blender", *QUICK]
    if measured:
        pytest = ["-m", "coverage", "run", *pytest]
    return [*pytest, *rest]


def _step(python: Path, step: list[str]) -> int:
    say(" ".join(word.removeprefix(f"{ROOT}/") for word in step if word != "-m"))
    began = time.monotonic()
    environ = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    code = subprocess.run([str(python), *step], cwd=ROOT, env=environ, check=False).returncode
    print(f"             {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return code
