"""The faults: each hits a house that works, and leaves it to mend itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import psutil

from underpaint.client import Client
from underpaint.errors import UnderpaintError

from .damage import another_releases_table, damaged_blob, damaged_result, left_over_part
from .house import House, stop_and_go
from .ledger import Entry, Ledger
from .proxy import proxies_before

_MOMENT_S = 0.05
_KILLED_S = 3.0  # a hard cancel waits two seconds first


@dataclass(slots=True)
class Scene:
    """What a fault is done to. submit: hand over one more job, or the same once more."""

    house: House
    ledger: Ledger
    client: Client
    random: Random
    submit: Callable[[Client, Entry | None], Entry | None]

    def moment(self, longest: float = _MOMENT_S) -> None:
        """Let a little time pass."""
        time.sleep(self.random.uniform(0, longest))


def _worker_killed(scene: Scene) -> None:
    for worker in scene.house.workers():
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.kill()


def _worker_stopped(scene: Scene) -> None:
    """A worker that hangs; sometimes it comes back by itself, else a hard cancel has it killed."""
    workers = scene.house.workers()
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.suspend()
    scene.moment(0.2)
    if scene.random.random() < 0.5:
        _cancel(scene, list(scene.ledger.open), hard=True)
        psutil.wait_procs(workers, timeout=_KILLED_S)
    for worker in workers:  # one that had no job was not killed
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.resume()


def _daemon_killed(scene: Scene) -> None:
    scene.house.kill()
    scene.moment()
    scene.house.start()


def _daemon_ended(scene: Scene) -> None:
    scene.house.end()
    scene.house.start()


def _daemon_stopped(scene: Scene) -> None:
    stop_and_go(scene.house.signal, scene.random.uniform(0.01, 0.3))


def _full_disk(scene: Scene) -> None:
    with scene.house.full_disk(scene.random.choice((512, 8192, 40_000, 200_000))):
        for _ in range(scene.random.randint(1, 2)):
            scene.submit(scene.client, None)
        scene.moment(0.2)


def _cut_line(scene: Scene) -> None:
    """A client whose connections end in the middle of what they carry."""
    file = scene.house.paths.connection_file
    whole = file.read_bytes()
    proxies = proxies_before(file)
    with contextlib.ExitStack() as stack:
        for proxy in proxies:
            stack.callback(proxy.close)
        far = stack.enter_context(scene.house.client())
        for proxy in proxies:
            proxy.cut_after, proxy.cuts = scene.random.randint(0, 8000), scene.random.randint(0, 2)
        entry = scene.submit(far, None)
        scene.moment()
        for proxy in proxies:
            proxy.cut()
        if entry is not None:
            scene.ledger.settle_one(far, entry)
    file.write_bytes(whole)


def _client_gone(scene: Scene) -> None:
    """A client that goes without a word, and another that hands the same job over again."""
    with scene.house.client() as other:
        entry = scene.submit(other, None)
    scene.submit(scene.client, entry)


def _cancelled(scene: Scene) -> None:
    jobs = list(scene.ledger.open)
    chosen = scene.random.sample(jobs, min(2, len(jobs)))
    _cancel(scene, chosen, hard=scene.random.random() < 0.3)


def _cancel(scene: Scene, jobs: list[str], *, hard: bool) -> None:
    for job in jobs:
        with contextlib.suppress(UnderpaintError):
            scene.client.cancel(job, hard=hard)


def _old_table(scene: Scene) -> None:
    if scene.random.random() < 0.5:
        scene.house.end()
    else:
        scene.house.kill()
    another_releases_table(scene.house.table, scene.random)
    scene.house.start()


def _wrong_file(scene: Scene) -> None:
    """Something else lies where a file of ours should."""
    if scene.random.random() < 0.5:
        left_over_part(scene.house.staging, scene.ledger, scene.random)
    else:
        damaged_blob(scene.house.staging, scene.random)
    if scene.random.random() < 0.3:
        scene.house.kill()
        scene.house.paths.connection_file.write_bytes(scene.random.randbytes(99))
        scene.house.start()


def _damaged_result(scene: Scene) -> None:
    """A result is cut short or changed after its job was done."""
    damaged_result(scene.house.staging, scene.ledger, scene.random)


FAULTS: Mapping[str, tuple[int, Callable[[Scene], None]]] = {
    "worker_killed": (4, _worker_killed),
    "worker_stopped": (2, _worker_stopped),
    "daemon_killed": (2, _daemon_killed),
    "daemon_ended": (1, _daemon_ended),
    "daemon_stopped": (3, _daemon_stopped),
    "full_disk": (3, _full_disk),
    "line_cut": (3, _cut_line),
    "client_gone": (2, _client_gone),
    "cancelled": (2, _cancelled),
    "old_table": (1, _old_table),
    "wrong_file": (2, _wrong_file),
    "result_damaged": (2, _damaged_result),
}
"""Each fault by its name: how often it comes, and what it does."""
