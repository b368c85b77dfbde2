"""A real daemon process with a small real runner."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import underpaint
from underpaint.client import Client
from underpaint.errors import UnderpaintError
from underpaint.paths import Paths, user_paths
from underpaint.wire.connection import read_connection
from underpaint_daemon.common.staging import make_staging

from ..processes import with_helpers

RUNNER = "helpers.daemon.small_runners:build_runner"


class Daemon:
    """One daemon process on folders of its own; started, killed and started again by tests."""

    def __init__(self, root: Path) -> None:
        self.env = {
            **with_helpers(),
            "UNDERPAINT_DATA": str(root / "data"),
            "UNDERPAINT_CACHE": str(root / "cache"),
        }
        self.paths: Paths = user_paths(self.env)
        self.process: subprocess.Popen[bytes] | None = None
        self._clients: list[Client] = []

    def spawn(self, *options: str, before: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Start a process without waiting for it; `before`: words before the command."""
        command = [*before, sys.executable, "-m", "underpaint_daemon", "serve"]
        return subprocess.Popen(
            [*command, "--runner", RUNNER, *options],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def start(self, *options: str, before: tuple[str, ...] = ()) -> Daemon:
        self.process = self.spawn(*options, before=before)
        wait_for(self.is_up)
        return self

    def is_up(self) -> bool:
        with contextlib.suppress(UnderpaintError):
            return read_connection(self.paths.connection_file).pid == self.process.pid
        return False

    def client(self) -> Client:
        client = underpaint.connect(self.paths, start=False)
        self._clients.append(client)
        return client

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def runs(self) -> list[str]:
        """The prompts of every run that a worker began."""
        log = self.paths.data / "runs.log"
        return log.read_text().splitlines() if log.exists() else []

    def close(self) -> None:
        for client in self._clients:
            client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(300)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        if self.process is not None:
            self.process.stderr.close()
        # A daemon that was killed leaves its shared memory to the next one.
        if (staging := make_staging(self.paths.data)).fast is not None:
            shutil.rmtree(staging.fast)


def wait_for(condition: Callable[[], object], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.005)


@pytest.fixture
def idle_daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Not started yet."""
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.close()


@pytest.fixture
def daemon(idle_daemon: Daemon) -> Daemon:
    """Started, and ended after the test."""
    return idle_daemon.start()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Started once for the tests of a module that leave it as it was: running, with nothing to do
    that they asked for."""
    daemon = Daemon(tmp_path_factory.mktemp("served")).start()
    yield daemon
    daemon.close()
