"""The daemon that is tried: a real process on folders of its own, with the small painter."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from underpaint.client import Client, connect
from underpaint.errors import ConnectionLost, ErrorCode, UnderpaintError
from underpaint.paths import Paths, user_paths
from underpaint.wire.connection import read_connection
from underpaint_daemon.common.staging import Staging, make_staging

PATIENCE_S = 300.0
_RUNNER = f"{__package__}.painter:build_runner"
_LOOK_S = 0.01
_STOP_S = 60.0


class House:
    """One daemon after the other on the same folders."""

    def __init__(self, root: Path) -> None:
        self._env = {
            **os.environ,
            "UNDERPAINT_DATA": str(root / "data"),
            "UNDERPAINT_CACHE": str(root / "cache"),
        }
        self.paths: Paths = user_paths(self._env)
        self._said = root / "stderr.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def table(self) -> Path:
        """The job table."""
        return self.paths.data / "jobs.db"

    @property
    def staging(self) -> Staging:
        """Where its files lie."""
        return make_staging(self.paths.data)

    def start(self) -> None:
        """Start a daemon and wait until it serves. Raises ConnectionLost(DAEMON_START_FAILED)."""
        command = [sys.executable, "-m", "underpaint_daemon", "serve", "--runner", _RUNNER]
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                [*command, "--idle-exit", "10"], env=self._env, stdout=said, stderr=said
            )
        self.starts += 1
        if not wait(self._serves):
            raise ConnectionLost(ErrorCode.DAEMON_START_FAILED, self._last_words())

    def kill(self) -> None:
        """As the system ends a process."""
        process = self._running()
        process.kill()
        process.wait()

    def end(self) -> None:
        """As a user ends it, and at once if it does not."""
        process = self._running()
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def client(self) -> Client:
        """A client that starts no daemon."""
        return connect(self.paths, start=False, client="faults", timeout=PATIENCE_S)

    def signal(self, number: int) -> None:
        """Signal the daemon."""
        os.kill(self._running().pid, number)

    def workers(self) -> list[psutil.Process]:
        """Its worker, if there is one now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self._running().pid).children())
        return []

    @contextmanager
    def full_disk(self, nbytes: int) -> Iterator[None]:
        """No file of daemon or worker may grow beyond `nbytes`; the kernel says EFBIG."""
        self._limit(nbytes)
        yield
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, nbytes: int) -> None:
        for pid in (self._running().pid, *(worker.pid for worker in self.workers())):
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (nbytes, resource.RLIM_INFINITY))

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _serves(self) -> bool:
        process = self._running()
        if process.poll() is not None:
            raise ConnectionLost(ErrorCode.DAEMON_START_FAILED, self._last_words())
        with contextlib.suppress(UnderpaintError):
            return read_connection(self.paths.connection_file).pid == process.pid
        return False

    def _last_words(self) -> str:
        return f"the daemon does not start: {self._said.read_text('utf-8', 'replace')[-500:]}"


def wait(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> bool:
    """Wait for a condition; whether it came."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_S)
    return True


def stop_and_go(process: Callable[[int], None], seconds: float) -> None:
    """Halt a process for a while, as a laptop's lid does."""
    process(signal.SIGSTOP)
    time.sleep(seconds)
    process(signal.SIGCONT)
