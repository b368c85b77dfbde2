"""The worker process: started, spoken to, watched, killed, replaced."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

from underpaint.conversation.usual import PAINTER, Wait, learn, usual_s
from underpaint.settings import SETTINGS, gpu_environment

from ..common.pipe import STARVED, Message, Writer, read_message
from ..common.staging import Staging
from .config import Config

log = logging.getLogger("supervisor")
worker_log = logging.getLogger("worker")
_LINE = 2000
_SILENT_S = 10.0  # a worker without a job says something every second
_ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": "2000000000",
    "MALLOC_MMAP_THRESHOLD_": "2000000000",
}


@dataclass(frozen=True, slots=True)
class FromWorker:
    """A message of a worker; `pid` tells a dead worker's last words from its successor's."""

    pid: int
    message: Message


@dataclass(frozen=True, slots=True)
class WorkerGone:
    """The worker process ended. `code`: as subprocess tells it, negative for a signal."""

    pid: int
    code: int


class Stage(StrEnum):
    """How far a worker has come; it tells each but the first."""

    STARTING = "starting"
    READY = "ready"
    BRINGING = "bringing"
    ABLE = "able"


class Supervisor:
    """Holds at most one worker process. Used by the control thread; what the worker says is
    posted to `post` from reading threads."""

    def __init__(
        self, config: Config, staging: Staging, post: Callable[[FromWorker | WorkerGone], None]
    ) -> None:
        self._command, self._env = _command(config, staging), worker_environment(config.gpu)
        self._post, self._paths = post, config.paths
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._stage = Stage.STARTING
        self._beat_at = 0.0
        self._facts: Message = {}
        self._coming: Wait | None = None
        self._skipped = False
        self._models = set[str]()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def ready(self) -> bool:
        """Whether the worker has spoken."""
        return self._stage is not Stage.STARTING

    @property
    def bringing(self) -> bool:
        """Whether the worker imports what it paints with."""
        return self._stage is Stage.BRINGING

    @property
    def able(self) -> bool:
        """Whether the worker has its runner, and torch: it begins what it is handed."""
        return self._stage is Stage.ABLE

    @property
    def coming(self) -> Wait | None:
        """Since when a job waits for the worker to be able; None where none does."""
        return self._coming

    def start(self) -> None:
        """Start a worker unless there is one. Its messages may be sent at once: they wait in the
        pipe until it has started."""
        if self._process is not None:
            return
        # Always a new program and never a fork: the daemon has threads and sockets.
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._env,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise OSError("the worker's pipes are missing")
        self._process, self._orders = process, queue.SimpleQueue()
        self._stage, self._beat_at, self._facts = Stage.STARTING, time.monotonic(), {}
        _thread(_write_orders, Writer(_raw(process.stdin)), self._orders)
        _thread(self._listen, process, _raw(process.stdout))
        _thread(_copy_to_log, _raw(process.stderr))
        log.info("worker %d started", process.pid)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send to the worker, never waiting for it; nothing happens when there is none."""
        if self._process is None:
            return
        self._orders.put(message)
        if message["t"] == "run" and not self.able and (self._coming is None or self._skipped):
            self._skipped = False
            self._coming = Wait(time.monotonic(), usual_s(self._paths, PAINTER))

    def loads(self, model: str, now: float) -> Wait | None:
        """A job's worker loads its model; how long that usually takes. None of one that it has
        loaded before, and may have at hand."""
        if model in self._models:
            return None
        self._models.add(model)
        return Wait(now, usual_s(self._paths, _loading(model)))

    def loaded(self, model: str, wait: Wait, now: float) -> None:
        """That came to its end."""
        learn(self._paths, _loading(model), now - wait.began)

    def note(self, event: FromWorker) -> bool:
        """Take in a worker's message; False for one of a worker that is no longer ours."""
        if event.pid != self.pid:
            return False
        self._beat_at = time.monotonic()
        if event.message["t"] == "beat":
            self._facts = event.message
        elif event.message["t"] in tuple(Stage):
            self._come(Stage(event.message["t"]))
        elif self._stage is Stage.READY and "job" in event.message:
            self._skipped = True  # a job, whose wait was for nothing: what comes later begins anew
        return True

    def gone(self, event: WorkerGone) -> bool:
        """Take in a worker's end; False for one that is no longer ours."""
        if event.pid != self.pid:
            return False
        self._forget()
        return True

    def kill(self) -> None:
        """End the worker now. It is no longer ours: a new one may be started at once."""
        process = self._process
        self._forget()
        if process is not None:
            process.kill()  # its reading thread collects the exit code
            log.info("worker %d killed", process.pid)

    def silent(self, now: float) -> bool:
        """Whether a worker that had started has not been heard for long. One that brings its
        runner may not come to speak: importing holds what its other threads need."""
        speaks = self._stage in (Stage.READY, Stage.ABLE)
        return speaks and now - self._beat_at > _SILENT_S

    def replace(self) -> None:
        """End the worker now, and start another."""
        self.kill()
        self.start()

    def facts(self) -> dict[str, Any]:
        """What the worker last told of itself: rss, device, GPU memory (bytes), and the age of
        its heartbeat in seconds."""
        if self._process is None:
            return {}
        facts = {key: value for key, value in self._facts.items() if key not in ("t", "device")}
        return {**facts, "heartbeat_age_s": round(time.monotonic() - self._beat_at, 3)}

    @property
    def device(self) -> str:
        return str(self._facts.get("device", ""))

    def _come(self, stage: Stage) -> None:
        """Take a worker's new stage in, and learn how long it took to be able."""
        if stage is Stage.ABLE and self._coming is not None:
            learn(self._paths, PAINTER, time.monotonic() - self._coming.began)
        if stage is Stage.ABLE or self.bringing:
            self._coming = None
        self._stage = stage

    def _forget(self) -> None:
        self._orders.put({})  # ends the writing thread
        self._process, self._stage, self._coming = None, Stage.STARTING, None
        self._skipped = False
        self._models.clear()

    def _listen(self, process: subprocess.Popen[bytes], source: BinaryIO) -> None:
        while (message := read_message(source)) is not None:
            self._post(FromWorker(process.pid, message))
        self._post(WorkerGone(process.pid, process.wait()))


def _loading(model: str) -> str:
    return f"load {model}"


def describe_exit(code: int) -> str:
    """How a process ended, for people."""
    if code == STARVED:
        return "it could get no more memory"
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    # We send this signal only to workers that are no longer ours.
    often = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"signal {name}{often}"


def worker_environment(gpu: str = "") -> dict[str, str]:
    """This environment, with glibc's allocator told to keep what it has, and the GPU chosen:
    its number as nvidia-smi counts, `cpu`, or empty for the first.

    Tensors come and go by the megabyte; giving each back to the kernel and faulting it in again
    makes CPU inference two to seven times slower. The worker's memory goes back as a whole when
    it is idle. Other allocators ignore these (source: mallopt(3)).
    """
    chosen = {SETTINGS["gpu"].variable: gpu, **gpu_environment(gpu)}
    return {**_ALLOCATOR, **os.environ, **chosen}


def _command(config: Config, staging: Staging) -> list[str]:
    paths = config.paths
    command = [sys.executable, "-m", "underpaint_daemon.worker.main", "--runner", config.runner]
    command += ["--parent", str(os.getpid()), "--data", str(paths.data)]
    command += ["--memory", str(config.worker_memory)] if config.worker_memory else []
    command += [] if staging.fast is None else ["--fast", str(staging.fast)]
    return [*command, "--runtime", str(paths.runtime), "--cache", str(paths.cache)]


def _raw(stream: Any) -> BinaryIO:
    binary: BinaryIO = stream
    return binary


def _thread(target: Callable[..., None], *args: Any) -> None:
    threading.Thread(target=target, args=args, daemon=True, name=f"worker{target}").start()


def _write_orders(writer: Writer, orders: queue.SimpleQueue[Mapping[str, Any]]) -> None:
    # A pipe holds 64 KiB: a worker that is still starting would hold up who writes into it.
    with contextlib.suppress(OSError):
        while order := orders.get():
            writer.send(order)


def _copy_to_log(source: BinaryIO) -> None:
    for line in iter(source.readline, b""):
        text = line.decode("utf-8", errors="replace").rstrip()
        if text:
            worker_log.info("%s", text[-_LINE:])
