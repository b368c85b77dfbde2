"""What `bootstrap.py test` runs: linters, then the suite in several processes; types beside it.

--quick        only what takes seconds: no Blender, no model, no long test
--coverage     measure lines and branches too, by folder, and hold the floors
anything else  goes to pytest
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from environments import ROOT, say
from window_blender import user_cache

SOURCES = ("protocol", "daemon", "installers", "blender_addon", "tests")
QUICK = ("tests/unit", "tests/protocol", "tests/daemon", "tests/docs", "tests/packages")
_EACH_GIB = 3
"""What a test process, its daemon, worker and Blender take together, as a rule."""


def run_checks(python: Path, arguments: list[str]) -> int:
    """Everything; the first code that is not 0."""
    quick, measured = "--quick" in arguments, "--coverage" in arguments
    rest = [word for word in arguments if word not in ("--quick", "--coverage")]
    steps = [
        ["-m", "ruff", "check", *SOURCES],
        ["-m", "ruff", "format", "--check", *SOURCES],
        *([["-m", "coverage", "erase"]] if measured else []),  # an earlier run's is not this one's
        _suite(rest, quick=quick, measured=measured),
    ]
    # What mypy has found of libraries is true in every checkout.
    types_kept = ["--cache-dir", str(user_cache() / "mypy")]
    with _beside(python, ["-m", "mypy", *types_kept]) as types:
        codes = [_step(python, step) for step in steps]
    codes += types
    if measured:
        codes.append(_step(python, [str(ROOT / "installers" / "coverage_floors.py")]))
    return next((code for code in codes if code), 0)


def _suite(rest: list[str], *, quick: bool, measured: bool) -> list[str]:
    # In the order of tests/conftest.py: the longest files first, not those of the most tests.
    spread = ["-n", str(_processes()), "--dist", "loadfile", "--no-loadscope-reorder"]
    pytest = ["-m", "pytest", *spread]
    if quick:
        pytest += ["-m", "not slow and not blender", *QUICK]
    if measured:
        pytest = ["-m", "coverage", "run", *pytest]
    return [*pytest, *rest]


def _processes() -> int:
    """Four more than there are cores: as many files begin in Blenders that mostly wait."""
    if not hasattr(os, "sysconf"):
        return 2
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return max(2, min((os.cpu_count() or 1) + 4, int(gib / _EACH_GIB)))


@contextmanager
def _beside(python: Path, step: list[str]) -> Iterator[list[int]]:
    """A step that runs while others do; if it fails, what it says comes after theirs."""
    codes = list[int]()
    say(f"{_words(step)}, beside the rest")
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen([str(python), *step], cwd=ROOT, stdout=said, stderr=said)
        try:
            yield codes
        finally:
            codes.append(process.wait())
            if process.returncode:
                said.seek(0)
                print(_words(step), said.read(), sep="\n", file=sys.stderr, flush=True)


def _words(step: list[str]) -> str:
    return " ".join(word.removeprefix(f"{ROOT}/") for word in step if word != "-m")


def _step(python: Path, step: list[str]) -> int:
    say(_words(step))
    began = time.monotonic()
    environ = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    code = subprocess.run([str(python), *step], cwd=ROOT, env=environ, check=False).returncode
    print(f"             {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return code
