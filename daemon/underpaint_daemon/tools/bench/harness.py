"""A daemon of our own for a measurement: real process, folders that vanish afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from underpaint.client import Client, connect
from underpaint.errors import ConnectionLost, ErrorCode
from underpaint.measures import Report
from underpaint.paths import Paths, user_paths
from underpaint.wire.connection import read_connection

_START_SECONDS = 20.0
_STOP_SECONDS = 10.0


@contextmanager
def own_daemon(options: Sequence[str] = ()) -> Iterator[Paths]:
    """The folders of a daemon that serves while the context lasts.

    Raises ConnectionLost(DAEMON_START_FAILED).
    """
    with tempfile.TemporaryDirectory(prefix="underpaint-bench-") as root, ExitStack() as stack:
        env = {**os.environ, "UNDERPAINT_DATA": root, "UNDERPAINT_CACHE": str(Path(root) / "cache")}
        paths = user_paths(env)
        command = [sys.executable, "-m", "underpaint_daemon", "serve", "--idle-exit", "2", *options]
        stack.enter_context(_ended_with_us())
        process = stack.enter_context(subprocess.Popen(command, env=env, stdout=sys.stderr))
        stack.callback(_stop, process)
        _wait(paths, process)
        yield paths


@contextmanager
def _ended_with_us() -> Iterator[None]:
    """A process that is told to end leaves its contexts first, in this block: its daemon ends."""
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def own_client(options: Sequence[str] = ()) -> Iterator[Client]:
    """A client of a daemon of our own."""
    with own_daemon(options) as paths, connect(paths, start=False, client="bench") as client:
        yield client


def finish(report: Report, *, as_json: bool) -> int:
    """Print the report; returns the exit code."""
    print(report.to_json() if as_json else report.to_text())
    return report.exit_code


def _wait(paths: Paths, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if read_connection(paths.connection_file).pid == process.pid:
                return
        except ConnectionLost:
            time.sleep(0.01)
    raise ConnectionLost(ErrorCode.DAEMON_START_FAILED, "the daemon to measure did not start")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
