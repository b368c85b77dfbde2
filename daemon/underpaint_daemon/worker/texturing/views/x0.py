"""The clean image that a network's output implies, and the output that implies a given one.

Rewriting the network's output before `scheduler.step` lets any sampler work on corrected
predictions, untouched. Families: eps, v and sample predictions in the variance-preserving form
x = a x0 + s e (a² + s² = 1), the same in k-diffusion's form x = x0 + sigma e (Euler), and flow
matching x = (1 - sigma) x0 + sigma e with output e - x0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from torch import Tensor

_SIGMA_SCALED = ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler")
_FLOW = "FlowMatchEulerDiscreteScheduler"
_LEAST = 1e-8


class Prediction(StrEnum):
    """What a network predicts."""

    EPSILON = "epsilon"
    V = "v_prediction"
    SAMPLE = "sample"
    FLOW = "flow_prediction"


@dataclass(frozen=True, slots=True)
class Level:
    """A noise level: sample = signal x0 + noise e, in the scheduler's own scale.

    scale: of the sample against the variance-preserving form (1, or 1/a under Euler).
    """

    prediction: Prediction
    signal: float
    noise: float
    scale: float = 1.0

    def to_x0(self, sample: Tensor, output: Tensor) -> Tensor:
        """Clean latents, float32."""
        x, o = sample.float() / self.scale, output.float()
        a, s = self.signal, self.noise
        if self.prediction is Prediction.SAMPLE:
            return o
        if self.prediction is Prediction.V:
            return a * x - s * o
        if self.prediction is Prediction.FLOW:
            return x - s * o
        return (x - s * o) / max(a, _LEAST)

    def from_x0(self, sample: Tensor, x0: Tensor) -> Tensor:
        """The output that `to_x0` turns into `x0`, float32."""
        x, clean = sample.float() / self.scale, x0.float()
        a, s = self.signal, max(self.noise, _LEAST)
        if self.prediction is Prediction.SAMPLE:
            return clean
        if self.prediction is Prediction.V:
            return (a * x - clean) / s
        if self.prediction is Prediction.FLOW:
            return (x - clean) / s
        return (x - a * clean) / s


def level_at(scheduler: Any, timestep: Any) -> Level:
    """The noise level of the step that `scheduler.step` would take now at `timestep`."""
    name = type(scheduler).__name__
    if not hasattr(scheduler, "sigmas"):
        kept = float(scheduler.alphas_cumprod[int(timestep)])
        return Level(_prediction(scheduler), kept**0.5, (1.0 - kept) ** 0.5)
    if scheduler.step_index is None:
        scheduler._init_step_index(timestep)
    sigma = float(scheduler.sigmas[scheduler.step_index])
    if name == _FLOW or scheduler.config.get("prediction_type") == Prediction.FLOW:
        return Level(Prediction.FLOW, 1.0 - sigma, sigma)
    signal = 1.0 / (1.0 + sigma * sigma) ** 0.5
    scale = 1.0 / signal if name in _SIGMA_SCALED else 1.0
    return Level(_prediction(scheduler), signal, sigma * signal, scale)


def _prediction(scheduler: Any) -> Prediction:
    return Prediction(scheduler.config.prediction_type)
