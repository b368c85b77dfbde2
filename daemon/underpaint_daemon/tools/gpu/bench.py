"""What the checks share: the device's pictures and the CPU's, and what was found."""

from __future__ import annotations

import io
import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from underpaint.buffers import Buffers
from underpaint.measures import Bar, at_least, at_most
from underpaint.paths import Paths
from underpaint_daemon.common.job_contract import Artifact, JobCancelled, Phase
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.networks import Device
from underpaint_daemon.worker.quiet import Quiet

from ..evals.family_things import Things

Image8 = npt.NDArray[np.uint8]
_BEST_DB = 99.0


@dataclass(slots=True)
class Findings:
    """Measures and bars as they come; `notes`: what could not run here, and what went wrong."""

    measures: dict[str, float] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def told(self, name: str, value: float) -> None:
        """A measure without a bar."""
        self.measures[name] = float(value)

    def least(self, name: str, value: float, limit: float) -> None:
        """A measure that is to be `limit` or more."""
        self.told(name, value)
        self.bars.append(at_least(name, value, limit))

    def most(self, name: str, value: float, limit: float) -> None:
        """A measure that is to be `limit` or less."""
        self.told(name, value)
        self.bars.append(at_most(name, value, limit))

    def cannot(self, name: str, why: str) -> None:
        """A check that this device, or the time, does not allow."""
        self.notes[name] = f"not run: {why}"

    def failed(self, name: str, error: Exception) -> None:
        """A check that ended in an error."""
        self.least(f"{name}_ran", 0.0, 1.0)
        self.notes[name] = f"failed: {type(error).__name__}: {error}"


@dataclass(slots=True)
class Steps(Quiet):
    """Counts previews and steps; cancels after `stop_at` of them."""

    stop_at: int | None = None
    previews: int = 0
    steps: int = 0

    def progress(self, phase: Phase, step: int, total: int) -> None:
        del total
        if phase is Phase.DENOISING:
            self.steps = max(self.steps, step)

    def raise_if_cancelled(self) -> None:
        if self.stop_at is not None and self.steps >= self.stop_at:
            raise JobCancelled

    def wants_preview(self) -> bool:
        return True

    def preview(self, step: int, image: Image8, index: int = 0) -> None:
        del step, image, index
        self.previews += 1


class Painter:
    """Paints in this process, on one device."""

    def __init__(self, paths: Paths, place: Device, buffers: Buffers) -> None:
        self.runner = PipelineRunner(ModelCache(paths, place))
        self.buffers = buffers
        self.seconds = 0.0

    def run(self, request: Any, reporter: Quiet | None = None) -> list[Artifact]:
        """The request's files; `seconds` is what they took."""
        began = time.perf_counter()
        files = self.runner(request, self.buffers, reporter or Quiet())
        self.seconds = time.perf_counter() - began
        return files

    def paint(self, request: Any) -> Image8:
        """The first picture, (h, w, 3 or 4)."""
        return picture(self.run(request))

    def previews(self, request: Any) -> int:
        """How many previews came."""
        watched = Steps()
        self.run(request, watched)
        return watched.previews

    def cancel(self, request: Any) -> int:
        """Stop after the first step; the steps taken."""
        watched = Steps(stop_at=1)
        try:
            self.run(request, watched)
        except JobCancelled:
            return watched.steps
        return int(request.sampling.steps)


@dataclass(frozen=True, slots=True)
class Bench:
    """`here`: on the device, in half precision. `cpu`: in float32. `until`: when to begin nothing
    more, of `time.monotonic`. `small`: the least that exercises every check."""

    paths: Paths
    place: Device
    here: Painter
    cpu: Painter
    buffers: Buffers
    things: Things
    found: Findings
    small: bool
    until: float

    @property
    def cuda(self) -> bool:
        return self.place.device.type == "cuda"

    @property
    def in_time(self) -> bool:
        return time.monotonic() < self.until

    def sync(self) -> None:
        """Wait until the device has done what it was told."""
        if self.cuda:
            torch.cuda.synchronize()


def picture(files: list[Artifact]) -> Image8:
    """The first PNG's pixels."""
    png = next(file.data for file in files if file.media == "image/png")
    return np.asarray(Image.open(io.BytesIO(png)))


def psnr(one: npt.NDArray[Any], other: npt.NDArray[Any], peak: float = 255.0) -> float:
    """How alike two pictures are, in dB; 99 where nothing differs."""
    error = float(np.square(one.astype(np.float64) - other.astype(np.float64)).mean())
    return _BEST_DB if error == 0 else min(_BEST_DB, 10 * math.log10(peak * peak / error))
