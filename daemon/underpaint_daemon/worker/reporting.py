"""Between the running job and the daemon: what the daemon wants of it, and what it tells."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.wire import limits

from ..common.job_contract import Image8, JobCancelled, Phase
from ..common.pipe import Message, Writer


class Wishes:
    """What the daemon wants of one job; written by the reading thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._enough = False
        self._credit = False
        self._waits = False
        self._changed = threading.Condition(self._lock)

    def cancel(self) -> None:
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def enough(self) -> None:
        with self._changed:
            self._enough = True
            self._changed.notify_all()

    def wait(self, on: bool) -> None:
        """The job is to wait at its next step, or to go on."""
        with self._changed:
            self._waits = on
            self._changed.notify_all()

    @property
    def waits(self) -> bool:
        return self._waits and not (self._cancelled or self._enough)

    def wait_over(self) -> None:
        """Return when the job may go on, or is to end."""
        with self._changed:
            self._changed.wait_for(lambda: not self.waits)

    def credit(self) -> None:
        self._credit = True

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    @property
    def is_enough(self) -> bool:
        return self._enough

    @property
    def preview_wanted(self) -> bool:
        return self._credit

    def preview_sent(self) -> None:
        self._credit = False


class WishBook:
    """The wishes of each job that was handed over and has not ended. More than one: the daemon
    ends a job by itself while the runner is still brought, and hands over the next."""

    def __init__(self) -> None:
        self._of: dict[str, Wishes] = {}

    def open(self, job: str) -> None:
        """A job is handed over."""
        self._of[job] = Wishes()

    def of(self, job: str) -> Wishes | None:
        """What is wanted of a job; None where it has ended."""
        return self._of.get(job)

    def close(self, job: str) -> None:
        """A job has ended."""
        self._of.pop(job, None)


class PipeReporter:
    """The `Reporter` that a runner sees: writes to the daemon, reads the wishes."""

    def __init__(self, job: str, writer: Writer, wishes: Wishes) -> None:
        self._job = job
        self._writer = writer
        self._wishes = wishes
        self._total = 0
        self._last: Message | None = None

    def started(self) -> None:
        """The runner is there, and the job begins."""
        self._send({"t": "started"})

    def progress(self, phase: Phase, step: int, total: int) -> None:
        self._total = total
        self._last = {"t": "progress", "phase": phase.value, "step": step, "total": total}
        self._send(self._last)

    def saving(self) -> None:
        """The job is painted; told once, also of what tells it by itself."""
        if self._last is None or self._last["phase"] != Phase.SAVING:
            self.progress(Phase.SAVING, 0, 1)

    def raise_if_cancelled(self) -> None:
        if self._wishes.waits:
            self._yield_gpu()
        if self._wishes.cancelled:
            raise JobCancelled

    def _yield_gpu(self) -> None:
        """Wait, with what torch holds in reserve given back, and say so."""
        last = self._last
        self._send({"t": "progress", "phase": Phase.YIELDING.value, "step": 0, "total": 0})
        give_back_reserve()
        self._wishes.wait_over()
        if last is not None:
            self._send(last)

    def enough(self) -> bool:
        return self._wishes.is_enough

    def wants_preview(self) -> bool:
        return self._wishes.preview_wanted

    def preview(self, step: int, image: Image8, index: int = 0) -> None:
        if not self._wishes.preview_wanted:
            return
        self._wishes.preview_sent()
        small = shrink(image, limits.PREVIEW_SIDE)
        shape, data = list(small.shape), small.tobytes()
        message = {"t": "preview", "step": step, "total": self._total, "index": index}
        self._send({**message, "shape": shape, "data": data})

    def warn(self, message: str) -> None:
        self._send({"t": "warning", "text": message})

    def _send(self, message: Mapping[str, Any]) -> None:
        self._writer.send({**message, "job": self._job})


def give_back_reserve() -> None:
    """Give the GPU memory back that torch keeps for later and does not use now."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is not None and cuda.is_initialized():
        cuda.empty_cache()


def shrink(image: Image8, side: int) -> Image8:
    """The image averaged over whole pixel blocks until no side is longer than `side`."""
    factor = math.ceil(max(image.shape[:2]) / side)
    if factor == 1:
        return np.ascontiguousarray(image)
    height, width = image.shape[0] // factor, image.shape[1] // factor
    cut = image[: height * factor, : width * factor]
    blocks: npt.NDArray[np.float64] = cut.reshape(height, factor, width, factor, -1).mean((1, 3))
    return blocks.round().astype(np.uint8)
