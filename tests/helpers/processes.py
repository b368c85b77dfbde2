"""Processes that tests start: they find the tests' helpers, too."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"


def with_helpers(env: dict[str, str] | None = None) -> dict[str, str]:
    """An environment in whose Python `import helpers` works."""
    given = dict(os.environ) if env is None else env
    return {**given, "PYTHONPATH": os.pathsep.join([str(TESTS), given.get("PYTHONPATH", "")])}


@contextmanager
def held(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with its part of a test; `with` alone would wait for it for ever when
    the test fails."""
    with process, ExitStack() as on_failure:
        on_failure.callback(process.kill)
        yield process
        on_failure.pop_all()


def run_helper(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the helpers in a process of its own."""
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=with_helpers()
    )


def run_module(module: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a process of its own, with these variables beside ours."""
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        encoding="utf-8",
        errors="replace",
    )
