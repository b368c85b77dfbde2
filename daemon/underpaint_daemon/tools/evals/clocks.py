"""Clocks for `eval texture`: the seconds that networks take, and those of synchronising them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from underpaint_daemon.worker.texturing.views.denoiser import Denoiser
from underpaint_daemon.worker.texturing.views.pipeline_denoiser import PipelineDenoiser
from underpaint_daemon.worker.texturing.views.stations import Station
from underpaint_daemon.worker.texturing.views.sync import Synchroniser


class _Clock:
    """Counts the seconds that networks take."""

    seconds: float

    def predict(
        self, station: Station, scaled: Tensor, timestep: Any, progress: tuple[int, int]
    ) -> Tensor:
        began = _now(scaled)
        output: Tensor = super().predict(station, scaled, timestep, progress)  # type: ignore[misc]
        self.seconds += _now(scaled) - began
        return output


@dataclass(slots=True)
class Timed(_Clock, Denoiser):
    """A UNet's denoiser."""

    seconds: float = 0.0


@dataclass(slots=True)
class TimedPipeline(_Clock, PipelineDenoiser):
    """That of a transformer, which its pipeline calls."""

    seconds: float = 0.0


def timed(own: Denoiser | PipelineDenoiser) -> Timed | TimedPipeline:
    """The same denoiser, with a clock."""
    if isinstance(own, PipelineDenoiser):
        return TimedPipeline(own.model, own.sampling, own.turn)
    return Timed(own.model, own.sampling, own.memory, own.turn)


@dataclass(slots=True)
class TimedHook:
    """A rewriting hook that counts the seconds it takes."""

    inner: Synchroniser
    seconds: float = 0.0

    def __call__(self, clean: list[Tensor], step: int, steps: int) -> list[Tensor]:
        began = _now(clean[0])
        result = self.inner(clean, step, steps)
        self.seconds += _now(clean[0]) - began
        return result


def _now(tensor: Tensor) -> float:
    """Seconds of work so far: of this process on a CPU, which others may share."""
    if tensor.device.type != "cuda":
        return time.process_time()
    torch.cuda.synchronize(tensor.device)
    return time.perf_counter()
