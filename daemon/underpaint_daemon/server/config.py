"""What the daemon is told at its start."""

from __future__ import annotations

from dataclasses import dataclass

from underpaint.paths import Paths

DEFAULT_RUNNER = "underpaint_daemon.worker.dispatch:build_runner"
GIB = 1024**3
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one daemon; durations in seconds, sizes in bytes.

    `bind`: the address to listen on; anything but loopback must be asked for by name.
    `runner`: `module:function` that the worker calls with `Paths` to get its Runner.
    `idle_exit`: without clients and jobs for so long, the daemon ends; 0 = never.
    `idle_unload`: without jobs for so long, the worker is replaced by a fresh one, which gives
    back all its memory. `cancel_grace`: a hard cancel waits so long before it kills.
    `results_age`: so long results stay that nobody fetched. `gpu`: number of the worker's GPU,
    `cpu`, or empty for the first. `worker_memory`: what the worker may use of main memory; 0 = all.
    """

    paths: Paths
    bind: str = "127.0.0.1"
    runner: str = DEFAULT_RUNNER
    idle_exit: float = 3600.0
    idle_unload: float = 300.0
    cancel_grace: float = 2.0
    max_attempts: int = 2
    results_bytes: int = 10 * GIB
    results_age: float = 30 * DAY
    blob_bytes: int = 4 * GIB
    cache_bytes: int = 20 * GIB
    max_jobs: int = 10_000
    gpu: str = ""
    worker_memory: int = 0

    @property
    def checks_models(self) -> bool:
        """Whether a missing model is refused at submit. Another runner has models of its own."""
        return self.runner == DEFAULT_RUNNER
