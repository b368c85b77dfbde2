"""Work on many things in as many processes as there are processors.

torch is imported where it is used: processes whose work does without begin at once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_MOST = 8
Told = Callable[[int, int], None]
"""Hears how many of how many tasks are done."""


def usual_count() -> int:
    """Processes that this machine has room for: one where a GPU does the work."""
    import torch

    return 1 if torch.cuda.is_available() else min(os.cpu_count() or 1, _MOST)


def each(
    work: Callable[[T], R], tasks: Sequence[T], count: int, told: Told | None = None
) -> list[R]:
    """What `work`, a function of a module, makes of each task, in their order.

    Every process computes with one thread, so that results are the same for any `count`. Of one,
    no process is started. When interrupted or when a task fails, all processes end at once.
    """
    told = told or _unheard
    if min(count, len(tasks)) <= 1:
        return _alone(work, tasks, told)
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(min(count, len(tasks)), context, _begin) as pool,
        ExitStack() as unfinished,
    ):
        unfinished.callback(_end, pool)
        futures = [pool.submit(work, task) for task in tasks]
        for done, future in enumerate(as_completed(futures), 1):
            future.result()
            told(done, len(tasks))
        unfinished.pop_all()
        return [future.result() for future in futures]


def _end(pool: ProcessPoolExecutor) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
    for process in multiprocessing.active_children():
        process.terminate()


def _alone(work: Callable[[T], R], tasks: Sequence[T], told: Told) -> list[R]:
    import torch

    threads, results = torch.get_num_threads(), list[R]()
    torch.set_num_threads(1)
    try:
        for task in tasks:
            results.append(work(task))
            told(len(results), len(tasks))
    finally:
        torch.set_num_threads(threads)
    return results


def _unheard(done: int, total: int) -> None:
    """Nobody asks how far it is."""


def _begin() -> None:
    """In a new process: an interrupt is the parent's to hear, and its end is ours."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"  # for libraries that come with the first task
    if "torch" in sys.modules:  # it came with the caller's own script
        sys.modules["torch"].set_num_threads(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
