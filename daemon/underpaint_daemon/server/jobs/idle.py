"""What becomes of a worker while it has no job."""

from __future__ import annotations

import logging
import time

from ..supervisor import Supervisor

log = logging.getLogger("idle")


class Idle:
    """A worker without a job leaves the GPU to whoever wants it, and after a while a fresh one
    takes its place. `unload_s`: after how many seconds. `since`: when its last job ended,
    monotonic."""

    def __init__(self, supervisor: Supervisor, unload_s: float) -> None:
        self._supervisor = supervisor
        self._unload_s = unload_s
        self.since = time.monotonic()
        self._used = False
        self._let_go = False

    def work(self) -> None:
        """The worker has a job."""
        self._used = True

    def begin(self) -> None:
        """Its job is over."""
        self.since = time.monotonic()

    def keep_gpu(self) -> None:
        """Nobody else wants the GPU."""
        self._let_go = False

    def tend(self, now: float, *, yields: bool) -> None:
        """Do what is due. `yields`: whether the GPU is somebody else's; its models leave it once a
        lease."""
        if yields and self._used and not self._let_go:
            self._let_go = True
            self._supervisor.send({"t": "let_go"})
        if self._used and now - self.since > self._unload_s:
            # Only the end of a process gives all memory back, on the host and on the GPU.
            log.info("the worker was idle; a fresh one takes its place")
            self._used = False
            self._supervisor.replace()
